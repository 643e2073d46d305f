package org.llamaj.tokenizer.file;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.llamaj.tokenizer.bpe.AddedToken;

/** Collects the tokens at which generation stops. */
public final class EndTokens {
  /** Files do not always list all of them, but the names are the same everywhere. */
  private static final Set<String> NAMES =
      Set.of(
          "</s>",
          "<|end_of_text|>",
          "<|eot_id|>",
          "<|eom_id|>",
          "<|eot|>",
          "<|eom|>",
          "<|endoftext|>",
          "<|im_end|>");

  private final Set<Integer> ids = new HashSet<>();

  /** The ids of those among some added tokens whose names tell that they end something. */
  public static Set<Integer> among(List<AddedToken> tokens) {
    EndTokens ends = new EndTokens();
    tokens.forEach(token -> ends.addIfNamed(token.id(), token.text()));
    return ends.ids();
  }

  void add(int id) {
    ids.add(id);
  }

  /** Adds a special token if its name tells that it ends something. */
  void addIfNamed(int id, String text) {
    if (NAMES.contains(text)) {
      ids.add(id);
    }
  }

  Set<Integer> ids() {
    return Set.copyOf(ids);
  }
}
