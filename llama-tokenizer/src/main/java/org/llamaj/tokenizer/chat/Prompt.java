package org.llamaj.tokenizer.chat;

import java.util.List;

/**
 * What to feed to a model.
 *
 * @param ids the token ids
 * @param text the same as text, control tokens as they are written
 * @param images where the pictures are among the ids, in order
 */
public record Prompt(int[] ids, String text, List<ImagePlace> images) {
  /**
   * Where a picture is among the ids.
   *
   * @param image the picture
   * @param start the index of its first id
   * @param end the index after its last id
   */
  public record ImagePlace(Content.Image image, int start, int end) {}

  /** Copies the arrays and lists. */
  public Prompt {
    ids = ids.clone();
    images = List.copyOf(images);
  }

  @Override
  public int[] ids() {
    return ids.clone();
  }
}
