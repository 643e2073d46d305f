package org.llamaj.transformer;

import java.util.List;

/**
 * Layers that read the states of an encoder instead of the tokens (Llama 3.2 Vision).
 *
 * @param layers indices of these layers, ascending
 * @param extraTokens embeddings behind the vocabulary, of tokens that are read and never written:
 *     those that stand for pictures
 */
public record CrossAttention(List<Integer> layers, int extraTokens) {

  /** A model of text. */
  public static final CrossAttention NONE = new CrossAttention(List.of(), 0);

  /** Copies the list. */
  public CrossAttention {
    layers = List.copyOf(layers);
  }
}
