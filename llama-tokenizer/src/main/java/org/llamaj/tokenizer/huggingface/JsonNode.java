package org.llamaj.tokenizer.huggingface;

import java.util.List;
import java.util.Map;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.JsonStrings;

/**
 * A value of a {@code tokenizer.json} and where it stands, so that what is wrong can be named.
 *
 * @param path where the value is, for example {@code tokenizer.json: model.vocab}
 * @param value maps, lists, strings, numbers, booleans, null
 */
record JsonNode(String path, Object value) {
  /** A member of this object; absent ones are null nodes. */
  JsonNode get(String name) {
    return new JsonNode(path + "." + name, object().get(name));
  }

  boolean isNull() {
    return value == null;
  }

  Map<?, ?> object() {
    return as(Map.class, "an object");
  }

  /** The items of this array. */
  List<JsonNode> items() {
    List<?> list = as(List.class, "an array");
    JsonNode[] items = new JsonNode[list.size()];
    for (int i = 0; i < items.length; i++) {
      items[i] = new JsonNode(path + "[" + i + "]", list.get(i));
    }
    return List.of(items);
  }

  /** An object of whole numbers that may have many. */
  JsonStrings numbers() {
    if (value instanceof JsonStrings strings && strings.isObject()) return strings;
    throw unexpected("an object");
  }

  /** An array of strings that may have many. */
  JsonStrings strings() {
    if (value instanceof JsonStrings strings && !strings.isObject()) return strings;
    throw unexpected("an array");
  }

  String string() {
    return as(String.class, "a string");
  }

  boolean bool() {
    return as(Boolean.class, "true or false");
  }

  boolean bool(boolean otherwise) {
    return value == null ? otherwise : bool();
  }

  int integer() {
    long number = as(Long.class, "an integer");
    if (number < 0 || number > Integer.MAX_VALUE) {
      throw unexpected("an integer from 0 to " + Integer.MAX_VALUE);
    }
    return (int) number;
  }

  /** The member {@code type}, which tells objects apart. */
  String type() {
    return get("type").string();
  }

  TokenizerException unexpected(String expected) {
    String found = String.valueOf(value);
    return new TokenizerException(
        "%s: expected %s, found %s"
            .formatted(
                path, expected, found.length() > 60 ? found.substring(0, 60) + "..." : found));
  }

  /** Says that a setting is known but not supported. */
  TokenizerException unsupported(String what) {
    return new TokenizerException("%s: %s is not supported".formatted(path, what));
  }

  private <T> T as(Class<T> type, String expected) {
    if (!type.isInstance(value)) {
      throw unexpected(expected);
    }
    return type.cast(value);
  }
}
