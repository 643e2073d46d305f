package org.llamaj.tokenizer.huggingface;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.llamaj.tokenizer.TokenizerException;

/** A pattern of a file: a string, or an expression with the meaning it has in Rust. */
record SplitPattern(String source, Pattern pattern) {
  /** Steps per character after which an expression is taken to be stuck. */
  private static final int STEPS_PER_CHARACTER = 20_000;

  static SplitPattern of(JsonNode node) {
    if (node.get("String").value() instanceof String literal) {
      return new SplitPattern(literal, Pattern.compile(Pattern.quote(literal)));
    }
    JsonNode regex = node.get("Regex");
    // Unicode classes make \s the property White_Space, which it is in Rust.
    int flags = Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE;
    try {
      String source = regex.string();
      String scripts = source.replaceAll("\\\\p\\{(Han|Hiragana|Katakana|Hangul)}", "\\\\p{Is$1}");
      return new SplitPattern(source, Pattern.compile(scripts, flags));
    } catch (PatternSyntaxException e) {
      throw new TokenizerException(
          "%s: the expression is not supported: %s".formatted(regex.path(), e.getDescription()), e);
    }
  }

  Matcher matcher(String text) {
    return pattern.matcher(new Guarded(text, new long[] {limit(text)}));
  }

  private static long limit(String text) {
    return (text.length() + 100L) * STEPS_PER_CHARACTER;
  }

  /** A text that can only be looked at so often, against expressions that never end. */
  private record Guarded(String text, long[] left) implements CharSequence {
    @Override
    public int length() {
      return text.length();
    }

    @Override
    public char charAt(int index) {
      if (left[0]-- == 0) {
        throw new TokenizerException(
            "The split expression of the tokenizer file takes too long on this text");
      }
      return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
