package org.llamaj.spi;

import org.llamaj.tensor.FloatMatrix;

/** All that the core knows of pictures: what an encoder made of them. */
public sealed interface MediaEncoding {

  /**
   * Rows that take the places of placeholder tokens in the prompt (Llama 4).
   *
   * @param rows [placeholders, dim], in the order of the placeholders
   */
  record EmbeddingRows(FloatMatrix rows) implements MediaEncoding {}

  /**
   * States that cross-attention layers read (Llama 3.2 Vision).
   *
   * @param states [patches, dim]
   */
  record CrossAttentionStates(FloatMatrix states) implements MediaEncoding {}

  /**
   * The memory of the encoding.
   *
   * @return bytes
   */
  default long bytes() {
    return switch (this) {
      case EmbeddingRows(FloatMatrix rows) -> rows.data().byteSize();
      case CrossAttentionStates(FloatMatrix states) -> states.data().byteSize();
    };
  }
}
