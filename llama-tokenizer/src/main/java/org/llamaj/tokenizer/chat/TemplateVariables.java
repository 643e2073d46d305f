package org.llamaj.tokenizer.chat;

import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import org.llamaj.tokenizer.Tokenizer;

/** The variables that chat templates expect, as transformers names them. */
final class TemplateVariables {
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("dd MMM yyyy", Locale.ENGLISH);

  private final UnaryOperator<String> strings;

  private TemplateVariables(UnaryOperator<String> strings) {
    this.strings = strings;
  }

  static Map<String, Object> of(
      Conversation conversation, Tokenizer tokenizer, Guard guard, boolean generate) {
    TemplateVariables values = new TemplateVariables(guard::mark);
    Map<String, Object> variables = new HashMap<>(values.conversation(conversation));
    variables.put("add_generation_prompt", generate);
    variables.put("bos_token", text(tokenizer, tokenizer.bos()));
    variables.put("eos_token", text(tokenizer, tokenizer.eos()));
    conversation.date().ifPresent(date -> variables.put("date_string", date.format(DATE)));
    return variables;
  }

  /** All texts of a conversation that a template can see. */
  static List<String> strings(Conversation conversation) {
    List<String> found = new ArrayList<>();
    new TemplateVariables(
            text -> {
              found.add(text);
              return text;
            })
        .conversation(conversation);
    return found;
  }

  private static String text(Tokenizer tokenizer, OptionalInt id) {
    return id.isPresent() ? tokenizer.text(id.getAsInt()) : "";
  }

  private Map<String, Object> conversation(Conversation conversation) {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put(
        "messages",
        new ArrayList<Object>(conversation.messages().stream().map(this::message).toList()));
    if (!conversation.tools().isEmpty()) {
      variables.put(
          "tools", new ArrayList<Object>(conversation.tools().stream().map(this::tool).toList()));
    }
    if (!conversation.builtInTools().isEmpty()) {
      variables.put("builtin_tools", value(conversation.builtInTools()));
    }
    return variables;
  }

  private Map<String, Object> message(Message message) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("role", message.role().name().toLowerCase(Locale.ROOT));
    List<Object> parts = new ArrayList<>();
    List<Object> calls = new ArrayList<>();
    boolean images = message.content().stream().anyMatch(Content.Image.class::isInstance);
    StringBuilder text = new StringBuilder();
    for (Content part : message.content()) {
      switch (part) {
        case Content.Text t -> add(t.text(), parts, text);
        case Content.Context c -> add("\n\n" + c.text(), parts, text);
        case Content.Image image -> parts.add(Map.of("type", "image"));
        case Content.ToolCall call -> calls.add(call(call));
        case Content.ToolResult r -> {
          add(r.text(), parts, text);
          putIfPresent(result, "tool_call_id", r.id());
          putIfPresent(result, "name", r.name());
        }
      }
    }
    result.put("content", images ? parts : strings.apply(text.toString()));
    if (!calls.isEmpty()) {
      result.put("tool_calls", calls);
    }
    return result;
  }

  private void add(String part, List<Object> parts, StringBuilder text) {
    parts.add(Map.of("type", "text", "text", strings.apply(part)));
    text.append(part);
  }

  private Map<String, Object> call(Content.ToolCall call) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", strings.apply(call.name()));
    function.put("arguments", value(call.arguments()));
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("type", "function");
    putIfPresent(result, "id", call.id());
    result.put("function", function);
    return result;
  }

  private Map<String, Object> tool(ToolDefinition tool) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", strings.apply(tool.name()));
    function.put("description", strings.apply(tool.description()));
    function.put("parameters", value(tool.parameters()));
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("type", "function");
    result.put("function", function);
    return result;
  }

  private void putIfPresent(Map<String, Object> map, String name, String text) {
    if (!text.isEmpty()) {
      map.put(name, strings.apply(text));
    }
  }

  /** A JSON value in the types that templates work with. */
  private Object value(Object value) {
    return switch (value) {
      case String text -> strings.apply(text);
      case Map<?, ?> map -> {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, member) -> copy.put(strings.apply(String.valueOf(key)), value(member)));
        yield copy;
      }
      case List<?> list -> {
        List<Object> copy = new ArrayList<>();
        list.forEach(item -> copy.add(value(item)));
        yield copy;
      }
      case Integer number -> number.longValue();
      case Short number -> number.longValue();
      case Byte number -> number.longValue();
      case Float number -> number.doubleValue();
      case null, default -> value;
    };
  }
}
