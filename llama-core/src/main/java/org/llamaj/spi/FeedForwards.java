package org.llamaj.spi;

import org.llamaj.transformer.FeedForward;

/** Makes the feed-forward networks of one model, which may share memory between layers. */
public interface FeedForwards {

  /**
   * Makes the network of one layer.
   *
   * @param layer index of the layer
   * @return the network
   * @throws org.llamaj.LlamaException if a tensor is missing or of another shape
   */
  FeedForward layer(int layer);

  /**
   * How the networks have been used so far, for {@code describe()}. May be called by any thread.
   *
   * @return a line of text
   */
  String description();
}
