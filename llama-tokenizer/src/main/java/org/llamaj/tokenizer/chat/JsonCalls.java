package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.Json;

/**
 * Reads <code>{"name": "f", "parameters": {"a": 1}}</code>: one such object, a list of them, or
 * several with line ends or semicolons between.
 */
final class JsonCalls {
  private static final Set<String> KEYS =
      Set.of("type", "name", "parameters", "arguments", "function", "id");

  private JsonCalls() {}

  static List<Content.ToolCall> parse(String text) throws PythonCalls.NotCalls {
    List<Content.ToolCall> calls = new ArrayList<>();
    for (String part : parts(text)) {
      Object value;
      try {
        value = Json.parse(part);
      } catch (TokenizerException e) {
        throw new PythonCalls.NotCalls(e.getMessage());
      }
      if (value instanceof List<?> list && !list.isEmpty()) {
        for (Object item : list) {
          calls.add(call(item));
        }
      } else {
        calls.add(call(value));
      }
    }
    return calls;
  }

  /** The arguments of a call: a JSON object. */
  static Map<String, Object> arguments(String text) throws PythonCalls.NotCalls {
    Object value;
    try {
      value = Json.parse(text);
    } catch (TokenizerException e) {
      throw new PythonCalls.NotCalls(e.getMessage());
    }
    return object(value);
  }

  private static Content.ToolCall call(Object value) throws PythonCalls.NotCalls {
    if (!(value instanceof Map<?, ?> call)) {
      throw new PythonCalls.NotCalls("expected an object with name and parameters");
    }
    if (!KEYS.containsAll(call.keySet())) {
      throw new PythonCalls.NotCalls("expected no members but name and parameters");
    }
    if (call.get("function") instanceof Map<?, ?> function) {
      call = function;
    }
    if (!(call.get("name") instanceof String name) || name.isEmpty()) {
      throw new PythonCalls.NotCalls("expected a name that is a string");
    }
    String key = call.containsKey("parameters") ? "parameters" : "arguments";
    if (!call.containsKey(key)) {
      throw new PythonCalls.NotCalls("expected the member parameters");
    }
    Object arguments = call.get(key);
    return new Content.ToolCall(name, arguments == null ? Map.of() : object(arguments));
  }

  private static Map<String, Object> object(Object value) throws PythonCalls.NotCalls {
    if (!(value instanceof Map<?, ?> map)) {
      throw new PythonCalls.NotCalls("expected parameters that are an object");
    }
    requireFinite(value);
    Map<String, Object> object = new LinkedHashMap<>();
    map.forEach((key, member) -> object.put((String) key, member));
    return object;
  }

  private static void requireFinite(Object value) throws PythonCalls.NotCalls {
    switch (value) {
      case Double number when number.isInfinite() ->
          throw new PythonCalls.NotCalls("a number is too large");
      case Map<?, ?> map -> {
        for (Object member : map.values()) {
          requireFinite(member);
        }
      }
      case List<?> list -> {
        for (Object item : list) {
          requireFinite(item);
        }
      }
      case null, default -> {}
    }
  }

  /** The values of a text, which semicolons or line ends part. */
  private static List<String> parts(String text) {
    List<String> parts = new ArrayList<>();
    Brackets brackets = new Brackets(false);
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      brackets.accept(text.charAt(i));
      if (brackets.isClosed()) {
        int next = i + 1;
        while (next < text.length() && " \t\r\n".indexOf(text.charAt(next)) >= 0) {
          next++;
        }
        boolean parted =
            next < text.length()
                && (text.charAt(next) == ';' || text.substring(i + 1, next).indexOf('\n') >= 0);
        if (parted) {
          parts.add(text.substring(start, i + 1));
          start = text.charAt(next) == ';' ? next + 1 : next;
          brackets = new Brackets(false);
          i = start - 1;
        }
      }
    }
    parts.add(text.substring(start));
    return parts;
  }
}
