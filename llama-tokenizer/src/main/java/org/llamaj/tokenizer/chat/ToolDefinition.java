package org.llamaj.tokenizer.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A tool that the model may call.
 *
 * @param name its name
 * @param description what it does, for the model to read
 * @param parameters a JSON Schema of its arguments: an object with {@code properties} and {@code
 *     required}
 */
public record ToolDefinition(String name, String description, Map<String, Object> parameters) {
  /** Copies the schema. */
  public ToolDefinition {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(description, "description");
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }
}
