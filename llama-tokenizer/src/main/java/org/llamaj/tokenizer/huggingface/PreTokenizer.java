package org.llamaj.tokenizer.huggingface;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import org.llamaj.tokenizer.TokenizerException;

/** One step of cutting text into words. */
interface PreTokenizer {
  /** GPT-2's split expression, which {@code ByteLevel} uses. */
  String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  /** Cuts one piece of text into smaller ones. */
  List<String> split(String text);

  /** Whether the pieces put together are always the text. */
  default boolean isLossless() {
    return true;
  }

  static PreTokenizer of(JsonNode node) {
    return switch (node.type()) {
      case "Split" -> splitOf(node);
      case "ByteLevel" -> byteLevel(node);
      case "Whitespace" -> regex(node, "\\w+|[^\\w\\s]+", SplitBehavior.REMOVED, true);
      case "WhitespaceSplit" -> regex(node, "\\s+", SplitBehavior.REMOVED, false);
      case "Digits" ->
          regex(
              node,
              node.get("individual_digits").bool(false) ? "\\p{N}" : "\\p{N}+",
              SplitBehavior.ISOLATED,
              false);
      case "Punctuation" ->
          regex(
              node,
              "[\\p{P}$+<=>^`|~]",
              node.get("behavior").isNull()
                  ? SplitBehavior.ISOLATED
                  : SplitBehavior.of(node.get("behavior")),
              false);
      default -> throw node.unsupported("the pre-tokenizer " + node.type());
    };
  }

  private static PreTokenizer splitOf(JsonNode node) {
    return new PatternSplit(
        SplitPattern.of(node.get("pattern")),
        SplitBehavior.of(node.get("behavior")),
        node.get("invert").bool(false));
  }

  private static PreTokenizer byteLevel(JsonNode node) {
    boolean space = node.get("add_prefix_space").bool(true);
    PreTokenizer split =
        node.get("use_regex").bool(true)
            ? regex(node, GPT2, SplitBehavior.ISOLATED, false)
            : List::of;
    return new PreTokenizer() {
      @Override
      public List<String> split(String text) {
        boolean add = space && !text.isEmpty() && text.charAt(0) != ' ';
        return split.split(add ? " " + text : text);
      }

      @Override
      public boolean isLossless() {
        return !space;
      }
    };
  }

  private static PreTokenizer regex(
      JsonNode node, String expression, SplitBehavior behavior, boolean invert) {
    JsonNode pattern = new JsonNode(node.path(), Map.of("Regex", expression));
    return new PatternSplit(SplitPattern.of(pattern), behavior, invert);
  }

  /** Cuts at the matches of a pattern, or, inverted, at what lies between them. */
  record PatternSplit(SplitPattern pattern, SplitBehavior behavior, boolean invert)
      implements PreTokenizer {
    @Override
    public List<String> split(String text) {
      List<SplitBehavior.Span> spans = new ArrayList<>();
      int last = 0;
      try {
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
          if (matcher.end() > matcher.start()) {
            if (matcher.start() > last) {
              spans.add(new SplitBehavior.Span(last, matcher.start(), invert));
            }
            spans.add(new SplitBehavior.Span(matcher.start(), matcher.end(), !invert));
            last = matcher.end();
          }
        }
      } catch (StackOverflowError e) {
        throw new TokenizerException(
            "The split expression of the tokenizer file goes too deep on this text", e);
      }
      if (last < text.length()) {
        spans.add(new SplitBehavior.Span(last, text.length(), invert));
      }
      return behavior.pieces(text, spans);
    }

    @Override
    public boolean isLossless() {
      return behavior != SplitBehavior.REMOVED;
    }
  }
}
