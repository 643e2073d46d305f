package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
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

  /**
   * Which ids attend to a picture through cross-attention.
   *
   * @param start the index of the first id
   * @param end the index after the last id, or -1 for all that follow, generated ones too
   */
  public record Attention(int start, int end) {}

  /** Copies the arrays and lists. */
  public Prompt {
    ids = ids.clone();
    images = List.copyOf(images);
  }

  /**
   * The ids that attend to each picture in models with cross-attention (Llama 3.2 Vision): those
   * from the picture to the next one; pictures side by side share theirs. As {@code
   * create_vision_mask} of Meta's release.
   *
   * @return a range for each picture, in order
   */
  public List<Attention> crossAttention() {
    if (images.size() == 1) {
      return List.of(new Attention(images.getFirst().start(), -1));
    }
    List<Attention> ranges = new ArrayList<>();
    int end = ids.length;
    for (int i = images.size() - 1; i >= 0; i--) {
      int start = images.get(i).start();
      int next = i + 1 < images.size() ? images.get(i + 1).start() : ids.length;
      if (next > start + 1) {
        end = next;
      }
      ranges.addFirst(new Attention(start, end));
    }
    return ranges;
  }

  /**
   * The token ids.
   *
   * @return a new array of them
   */
  @Override
  public int[] ids() {
    return ids.clone();
  }
}
