package org.llamaj.tokenizer.huggingface;

import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import org.llamaj.tokenizer.json.PythonStrings;

/**
 * What a file does to text first of all.
 *
 * @param steps each step, in order
 * @param spaceFirst whether a space (U+2581) is put before every text
 * @param escapesSpaces whether spaces are written as U+2581
 */
record Normalizer(List<UnaryOperator<String>> steps, boolean spaceFirst, boolean escapesSpaces) {
  private static final String SPACE = "\u2581";

  static Normalizer of(JsonNode node) {
    List<JsonNode> parts = new ArrayList<>();
    flatten(node, parts);
    List<UnaryOperator<String>> steps = new ArrayList<>();
    boolean spaceFirst = false;
    boolean escapesSpaces = false;
    for (JsonNode part : parts) {
      if (part.type().equals("Prepend") && part.get("prepend").string().equals(SPACE)) {
        spaceFirst = true;
      } else if (part.type().equals("Replace")
          && " ".equals(part.get("pattern").object().get("String"))
          && part.get("content").string().equals(SPACE)) {
        escapesSpaces = true;
      } else {
        steps.add(step(part));
      }
    }
    return new Normalizer(steps, spaceFirst, escapesSpaces);
  }

  String apply(String text) {
    String result = text;
    for (UnaryOperator<String> step : steps) {
      result = step.apply(result);
    }
    return result;
  }

  private static void flatten(JsonNode node, List<JsonNode> parts) {
    if (node.isNull()) {
      return;
    }
    if (node.type().equals("Sequence")) {
      node.get("normalizers").items().forEach(item -> flatten(item, parts));
    } else {
      parts.add(node);
    }
  }

  private static UnaryOperator<String> step(JsonNode node) {
    return switch (node.type()) {
      case "NFC" -> text -> java.text.Normalizer.normalize(text, Form.NFC);
      case "NFD" -> text -> java.text.Normalizer.normalize(text, Form.NFD);
      case "NFKC" -> text -> java.text.Normalizer.normalize(text, Form.NFKC);
      case "NFKD" -> text -> java.text.Normalizer.normalize(text, Form.NFKD);
      case "Lowercase" -> text -> text.toLowerCase(Locale.ROOT);
      case "Strip" -> {
        boolean left = node.get("strip_left").bool();
        boolean right = node.get("strip_right").bool();
        yield text -> {
          String start = left ? PythonStrings.stripStart(text) : text;
          return right ? PythonStrings.stripEnd(start) : start;
        };
      }
      case "Replace" -> {
        SplitPattern pattern = SplitPattern.of(node.get("pattern"));
        String content = Matcher.quoteReplacement(node.get("content").string());
        yield text -> pattern.matcher(text).replaceAll(content);
      }
      case "Prepend" -> {
        String prefix = node.get("prepend").string();
        yield text -> text.isEmpty() ? text : prefix + text;
      }
      default -> throw node.unsupported("the normalizer " + node.type());
    };
  }
}
