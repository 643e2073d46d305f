package org.llamaj.examples.demomodel;

import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Whether a reply is right, by the rules of the model card. */
record Check(JsonNode rule) {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Pattern SENTENCE_END = Pattern.compile("[.!?]\"?(?:\\s|$)");

  boolean passes(String reply) {
    String text = reply.strip();
    String type = rule.get("type").stringValue();
    return switch (type) {
      case "json_equals" -> rule.get("value").equals(parsed(text));
      case "json_fields" -> hasFields(parsed(text));
      case "not_json" -> !text.isEmpty() && parsed(text).isMissingNode();
      case "equals_any" -> texts("values").anyMatch(text::equals);
      case "contains_any" -> texts("values").anyMatch(value -> contains(text, value));
      case "contains_all" ->
          hasSentences(text)
              && texts("values").allMatch(value -> contains(text, value))
              && texts("not").noneMatch(value -> contains(text, value));
      default -> throw new IllegalArgumentException("unknown type of check: " + type);
    };
  }

  private boolean hasFields(JsonNode reply) {
    return reply.isObject()
        && new TreeSet<>(reply.propertyNames()).equals(new TreeSet<>(texts("keys").toList()))
        && rule.get("value")
            .propertyStream()
            .allMatch(field -> field.getValue().equals(reply.get(field.getKey())));
  }

  private boolean hasSentences(String text) {
    JsonNode range = rule.path("sentences");
    long count = SENTENCE_END.matcher(text).results().count();
    return range.isMissingNode() || count >= range.get(0).asInt() && count <= range.get(1).asInt();
  }

  private Stream<String> texts(String field) {
    return rule.path(field).valueStream().map(JsonNode::stringValue);
  }

  private static boolean contains(String text, String value) {
    return text.toLowerCase(Locale.ROOT).contains(value.toLowerCase(Locale.ROOT));
  }

  /** The reply as JSON; a missing node if it is none. */
  private static JsonNode parsed(String text) {
    try {
      return JSON.readTree(text);
    } catch (JacksonException e) {
      return JSON.missingNode();
    }
  }
}
