package org.llamaj.spi;

import org.llamaj.transformer.Configuration;

/**
 * Makes the feed-forward networks of layers that are not dense. Found by {@link
 * java.util.ServiceLoader}.
 */
public interface FeedForwardProvider {

  /**
   * Whether this provider knows the model's feed-forward networks.
   *
   * @param configuration proportions of a model with experts
   * @return true if {@link #open} works for it
   */
  boolean supports(Configuration configuration);

  /**
   * The scratch memory that {@link #open} takes.
   *
   * @param configuration proportions of the model
   * @param maxRows the most rows a call will have
   * @return bytes
   */
  long scratchBytes(Configuration configuration, int maxRows);

  /**
   * Prepares for the layers of one model.
   *
   * @param context the model and what it runs on
   * @return makes the networks
   */
  FeedForwards open(FeedForwardContext context);
}
