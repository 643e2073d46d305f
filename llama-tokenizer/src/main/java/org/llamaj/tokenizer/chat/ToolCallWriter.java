package org.llamaj.tokenizer.chat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.llamaj.tokenizer.json.JsonWriter;
import org.llamaj.tokenizer.json.PythonNumbers;

/** Writes tool calls the way Meta's encoders write them in the model's messages. */
final class ToolCallWriter {
  static final String CODE_INTERPRETER = "code_interpreter";

  private static final Set<String> SEARCHES = Set.of("brave_search", "wolfram_alpha", "photogen");

  private ToolCallWriter() {}

  static String write(Content.ToolCall call, ToolCallStyle style) {
    Map<String, Object> arguments = call.arguments();
    if (SEARCHES.contains(call.name()) && arguments.get("query") instanceof String query) {
      return "%s.call(query=\"%s\")".formatted(call.name(), query);
    }
    if (call.name().equals(CODE_INTERPRETER) && arguments.get("code") instanceof String code) {
      return code;
    }
    return switch (style) {
      case JSON ->
          "{\"type\": \"function\", \"name\": "
              + JsonWriter.ASCII.write(call.name())
              + ", \"parameters\": "
              + JsonWriter.ASCII.write(arguments)
              + "}";
      case FUNCTION_TAG ->
          "<function=" + call.name() + ">" + JsonWriter.ASCII.write(arguments) + "</function>";
      case PYTHON_LIST -> "[" + call.name() + "(" + pythonArguments(arguments) + ")]";
    };
  }

  private static String pythonArguments(Map<?, ?> arguments) {
    return arguments.entrySet().stream()
        .map(entry -> entry.getKey() + "=" + pythonValue(entry.getValue()))
        .collect(Collectors.joining(", "));
  }

  private static String pythonValue(Object value) {
    return switch (value) {
      case null -> "None";
      case Boolean b -> b ? "True" : "False";
      case Number number -> PythonNumbers.repr(number);
      case List<?> list ->
          list.stream()
              .map(ToolCallWriter::pythonValue)
              .collect(Collectors.joining(", ", "[", "]"));
      case Map<?, ?> map -> "{" + pythonArguments(map) + "}";
      default -> "\"" + value + "\"";
    };
  }
}
