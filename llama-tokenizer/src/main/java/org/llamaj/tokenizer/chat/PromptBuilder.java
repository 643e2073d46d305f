package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.llamaj.tokenizer.Tokenizer;

/** Puts a prompt together from control tokens and plain texts, each encoded on its own. */
final class PromptBuilder {
  private final Tokenizer tokenizer;
  private final StringBuilder text = new StringBuilder();
  private final List<Prompt.ImagePlace> images = new ArrayList<>();
  private int[] ids = new int[256];
  private int size;

  PromptBuilder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Adds a control token. */
  PromptBuilder token(ControlToken token) {
    add(token.id());
    text.append(token.text());
    return this;
  }

  /** Adds text that is never parsed for special tokens. */
  PromptBuilder plain(String plain) {
    for (int id : tokenizer.encode(plain)) {
      add(id);
    }
    text.append(plain);
    return this;
  }

  /** Adds a picture and notes where it is. */
  void image(Content.Image image, ImageLayout layout) {
    int start = size;
    for (String token : layout.tokens(image.width(), image.height())) {
      token(new ControlToken(layout.id(tokenizer, token), token));
    }
    images.add(new Prompt.ImagePlace(image, start, size));
  }

  Prompt build() {
    return new Prompt(Arrays.copyOf(ids, size), text.toString(), images);
  }

  private void add(int id) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, 2 * size);
    }
    ids[size++] = id;
  }
}
