package org.llamaj.tokenizer;

import java.util.Set;

/**
 * Which special tokens may be recognised in a text. Text that users or tools supply is encoded with
 * {@link #none()}: what looks like {@code <|eot_id|>} in it then stays plain text and cannot end
 * the turn.
 */
public final class SpecialTokens {
  private static final SpecialTokens NONE = new SpecialTokens(Set.of(), false);
  private static final SpecialTokens ALL = new SpecialTokens(Set.of(), true);

  private final Set<String> texts;
  private final boolean all;

  private SpecialTokens(Set<String> texts, boolean all) {
    this.texts = texts;
    this.all = all;
  }

  /**
   * No special token: everything is plain text.
   *
   * @return the empty set
   */
  public static SpecialTokens none() {
    return NONE;
  }

  /**
   * Every special token of the vocabulary. Only for text that comes from a trusted source.
   *
   * @return the set of all special tokens
   */
  public static SpecialTokens all() {
    return ALL;
  }

  /**
   * The given special tokens only.
   *
   * @param texts the tokens as they are written, for example {@code <|python_tag|>}
   * @return the set of these tokens
   */
  public static SpecialTokens of(String... texts) {
    return texts.length == 0 ? NONE : new SpecialTokens(Set.of(texts), false);
  }

  /**
   * Whether a special token may be recognised.
   *
   * @param text the token as it is written
   * @return true if it may
   */
  public boolean contains(String text) {
    return all || texts.contains(text);
  }

  /**
   * Whether no special token may be recognised.
   *
   * @return true for the empty set
   */
  public boolean isEmpty() {
    return !all && texts.isEmpty();
  }

  @Override
  public String toString() {
    return all ? "all special tokens" : texts.isEmpty() ? "no special tokens" : texts.toString();
  }
}
