package org.llamaj.tokenizer.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** A part of a message. */
public sealed interface Content {
  /**
   * Text.
   *
   * @param text any text; never parsed for special tokens
   */
  record Text(String text) implements Content {
    /** Refuses null. */
    public Text {
      Objects.requireNonNull(text, "text");
    }
  }

  /**
   * Material for the model to work with, such as retrieved documents; formats set it apart from the
   * text before it by a blank line.
   *
   * @param text any text; never parsed for special tokens
   */
  record Context(String text) implements Content {
    /** Refuses null. */
    public Context {
      Objects.requireNonNull(text, "text");
    }
  }

  /**
   * A picture. Formats need its size only; {@code source} is handed through to whoever encodes it.
   *
   * @param width in pixels, at least 1
   * @param height in pixels, at least 1
   * @param source the picture itself, in any form; may be null
   */
  record Image(int width, int height, Object source) implements Content {
    /** Refuses pictures without pixels. */
    public Image {
      if (width < 1 || height < 1) {
        throw new IllegalArgumentException(
            "An image needs a width and height of at least 1, found %d x %d"
                .formatted(width, height));
      }
    }
  }

  /**
   * The model's request to call a tool.
   *
   * @param id tells apart several calls of one message; may be empty, and no format writes it
   * @param name the tool's name
   * @param arguments JSON values by name, in the order in which they are written: {@link Map},
   *     {@link java.util.List}, {@link String}, {@link Number}, {@link Boolean}, null
   */
  record ToolCall(String id, String name, Map<String, Object> arguments) implements Content {
    /** Copies the arguments. */
    public ToolCall {
      Objects.requireNonNull(id, "id");
      Objects.requireNonNull(name, "name");
      arguments = Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
    }

    /**
     * A call without an id.
     *
     * @param name the tool's name
     * @param arguments JSON values by name
     */
    public ToolCall(String name, Map<String, Object> arguments) {
      this("", name, arguments);
    }
  }

  /**
   * What a tool returned.
   *
   * @param id the id of the call; may be empty
   * @param name the tool's name; may be empty
   * @param text the result, JSON or any other text
   */
  record ToolResult(String id, String name, String text) implements Content {
    /** Refuses null. */
    public ToolResult {
      Objects.requireNonNull(id, "id");
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(text, "text");
    }
  }
}
