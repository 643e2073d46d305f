package org.llamaj.tokenizer.chat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.JsonWriter;

/**
 * The documented ways to describe tools to the models, in messages before or around the first
 * question. Chat formats use the first that fits; to use another, apply {@link #describe} and hand
 * the result to the format.
 */
public enum ToolPromptStyle {
  /** Llama 3.1: built-in tools only, named in the system message. */
  LLAMA_3_1_BUILT_IN(Place.NOWHERE, ""),
  /** Llama 3.1: functions in a message before the question; calls are JSON. */
  LLAMA_3_1_JSON(Place.OWN_MESSAGE, "llama3.1-json.txt"),
  /** Llama 3.1: functions in a message before the question; calls are function tags. */
  LLAMA_3_1_FUNCTION_TAG(Place.OWN_MESSAGE, "llama3.1-function-tag.txt"),
  /** Llama 3.2: functions in the system message; calls are a Python list. */
  LLAMA_3_2_PYTHONIC_SYSTEM(Place.SYSTEM, "llama3.2-pythonic-system.txt"),
  /** Llama 3.2: functions around the question; calls are a Python list. */
  LLAMA_3_2_PYTHONIC_USER(Place.QUESTION, "llama3.2-pythonic-user.txt"),
  /** Llama 3.3: functions around the question; calls are a Python list. */
  LLAMA_3_3_PYTHONIC_USER(Place.QUESTION, "llama3.3-pythonic-user.txt"),
  /** Llama 4: functions in the system message; calls are a Python list. */
  LLAMA_4_PYTHONIC_SYSTEM(Place.SYSTEM, "llama4-pythonic-system.txt"),
  /** Llama 4: functions around the question; calls are a Python list. */
  LLAMA_4_PYTHONIC_USER(Place.QUESTION, "llama3.3-pythonic-user.txt");

  /** Where the functions are described. */
  private enum Place {
    NOWHERE,
    OWN_MESSAGE,
    SYSTEM,
    QUESTION
  }

  private static final JsonWriter INDENTED = new JsonWriter(false, "    ", ",", ": ", false);
  private static final JsonWriter ONE_LINE = new JsonWriter(false, null, ", ", ": ", false);
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("d MMMM yyyy", Locale.ENGLISH);
  private static final Map<String, String> PYTHON_TYPES =
      Map.of("string", "str", "integer", "int", "boolean", "bool", "number", "float");

  private final Place place;
  private final String resource;

  ToolPromptStyle(Place place, String resource) {
    this.place = place;
    this.resource = resource;
  }

  /**
   * Writes the tools of a conversation into its messages.
   *
   * @param conversation messages and tools
   * @return the same conversation without tools, which are in its messages now
   * @throws TokenizerException if the style puts them into the first question and there is none
   */
  public Conversation describe(Conversation conversation) {
    List<Message> messages = new ArrayList<>(conversation.messages());
    boolean hasSystem = !messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM;
    String system = hasSystem ? messages.getFirst().text() : "";
    String prompt =
        place == Place.NOWHERE
            ? ""
            : text(resource).replace("${functions}", functions(conversation.tools()));
    switch (place) {
      case NOWHERE, OWN_MESSAGE -> {
        setSystem(messages, hasSystem, environment(conversation, system));
        if (place == Place.OWN_MESSAGE) {
          messages.add(1, Message.user(prompt));
        }
      }
      case SYSTEM ->
          setSystem(messages, hasSystem, system.isEmpty() ? prompt : prompt + "\n\n" + system);
      case QUESTION -> question(messages, prompt);
    }
    return new Conversation(messages, List.of(), List.of(), conversation.date());
  }

  private static void setSystem(List<Message> messages, boolean hasSystem, String text) {
    if (hasSystem) {
      messages.set(0, Message.system(text));
    } else {
      messages.addFirst(Message.system(text));
    }
  }

  private static String environment(Conversation conversation, String system) {
    List<String> named =
        conversation.builtInTools().stream()
            .filter(tool -> !tool.equals(ToolCallWriter.CODE_INTERPRETER))
            .toList();
    String tools =
        !named.isEmpty()
            ? "Tools: " + String.join(", ", named) + "\n"
            : conversation.builtInTools().isEmpty() ? "\n" : "";
    String today = conversation.date().orElseGet(LocalDate::now).format(DATE);
    return "Environment: ipython\n"
        + tools
        + "Cutting Knowledge Date: December 2023\nToday Date: "
        + today
        + "\n\n"
        + (system.isEmpty() ? "" : system + "\n");
  }

  private void question(List<Message> messages, String prompt) {
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      if (message.role() == Role.USER) {
        String text = prompt.replace("${question}", message.text());
        List<Content> parts = new ArrayList<>();
        message.content().stream()
            .filter(part -> !(part instanceof Content.Text))
            .forEach(parts::add);
        parts.add(new Content.Text(text));
        messages.set(i, new Message(Role.USER, parts, message.ending()));
        return;
      }
    }
    throw new TokenizerException(
        this + " describes the tools in the first question, and there is none");
  }

  private String functions(List<ToolDefinition> tools) {
    return switch (this) {
      case LLAMA_3_1_JSON ->
          tools.stream()
              .map(tool -> INDENTED.write(named("type", "function", "function", json(tool))))
              .collect(Collectors.joining("\n"));
      case LLAMA_3_1_FUNCTION_TAG ->
          tools.stream().map(ToolPromptStyle::tagged).collect(Collectors.joining("\n\n"));
      default -> INDENTED.write(tools.stream().map(ToolPromptStyle::json).toList());
    };
  }

  private static Map<String, Object> json(ToolDefinition tool) {
    return named(
        "name", tool.name(), "description", tool.description(), "parameters", tool.parameters());
  }

  private static String tagged(ToolDefinition tool) {
    List<?> required = tool.parameters().get("required") instanceof List<?> list ? list : List.of();
    Map<String, Object> parameters = new TreeMap<>();
    if (tool.parameters().get("properties") instanceof Map<?, ?> properties) {
      properties.forEach(
          (name, property) -> {
            Map<?, ?> schema = property instanceof Map<?, ?> map ? map : Map.of();
            String type = String.valueOf(schema.get("type"));
            Object description = schema.get("description");
            parameters.put(
                String.valueOf(name),
                named(
                    "description",
                    description == null ? "" : description,
                    "param_type",
                    PYTHON_TYPES.getOrDefault(type, type),
                    "required",
                    required.contains(name)));
          });
    }
    return "Use the function '%s' to '%s':\n%s"
        .formatted(
            tool.name(),
            tool.description(),
            ONE_LINE.write(
                named(
                    "name",
                    tool.name(),
                    "description",
                    tool.description(),
                    "parameters",
                    parameters)));
  }

  /** A map in the order of the names, which {@link Map#of} does not keep. */
  private static Map<String, Object> named(Object... namesAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      map.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return map;
  }

  private static String text(String resource) {
    try (InputStream stream = ToolPromptStyle.class.getResourceAsStream(resource)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8).stripTrailing();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
