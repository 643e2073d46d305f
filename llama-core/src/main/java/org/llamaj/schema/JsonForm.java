package org.llamaj.schema;

import java.lang.reflect.Type;
import java.util.LinkedHashMap;
import java.util.Map;
import org.llamaj.LlamaException;
import org.llamaj.grammar.Grammar;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.Json;
import org.llamaj.tokenizer.json.JsonWriter;

/**
 * How the values of a Java type look in JSON: records, enums, lists, sets, maps, optionals, sealed
 * interfaces of records, and plain values, nested as they like.
 *
 * <p>Components of type {@link java.util.Optional} may be missing, all others are required. The
 * records of a sealed interface are told apart by a property {@code type} with the record's name.
 * Immutable and thread-safe.
 *
 * @param <T> the type
 */
public final class JsonForm<T> {
  private static final JsonWriter WRITER = new JsonWriter(false, null, ", ", ": ", false);

  private final String name;
  private final Shape shape;
  private final Map<String, Object> schema;
  private Grammar grammar;

  private JsonForm(Type type) {
    name = type instanceof Class<?> c ? c.getSimpleName() : type.getTypeName();
    Shapes shapes = new Shapes();
    shape = shapes.of(type);
    schema = shape.schema();
    if (!shapes.definitions().isEmpty()) {
      Map<String, Object> definitions = new LinkedHashMap<>();
      shapes.definitions().forEach((key, value) -> definitions.put(key, value.schema()));
      schema.put("$defs", definitions);
    }
  }

  /**
   * The form of a type.
   *
   * @param type a record, an enum, a sealed interface of records, or a plain value
   * @param <T> the type
   * @return its form
   * @throws LlamaException if JSON cannot express the type or one of its parts
   */
  public static <T> JsonForm<T> of(Class<T> type) {
    return new JsonForm<>(type);
  }

  /**
   * The form of a type with parameters.
   *
   * @param type for example that of a method's parameter
   * @return its form
   * @throws LlamaException if JSON cannot express the type or one of its parts
   */
  public static JsonForm<Object> ofGeneric(Type type) {
    return new JsonForm<>(type);
  }

  /**
   * The type as a JSON Schema.
   *
   * @return maps, lists and strings
   */
  public Map<String, Object> schema() {
    return new LinkedHashMap<>(schema);
  }

  /**
   * The schema as JSON text, for prompts.
   *
   * @return one line
   */
  public String schemaText() {
    return WRITER.write(schema);
  }

  /**
   * The texts that can be read.
   *
   * @return made once
   */
  public synchronized Grammar grammar() {
    if (grammar == null) {
      grammar = Grammar.jsonSchema(schema);
    }
    return grammar;
  }

  /**
   * Writes a value that is JSON already.
   *
   * @param value maps, lists, strings, numbers, booleans, null
   * @return JSON in one line
   */
  public static String text(Object value) {
    return WRITER.write(value);
  }

  /**
   * Reads a value.
   *
   * @param json a JSON text
   * @return the value
   * @throws LlamaException if the text is no JSON or has another form; with the path to the place
   */
  public T read(String json) {
    try {
      return readValue(Json.parse(json));
    } catch (TokenizerException e) {
      throw new LlamaException(
          "expected JSON for %s, found \"%s\": %s".formatted(name, json, e.getMessage()), e);
    }
  }

  /**
   * Makes a value from what a JSON text holds.
   *
   * @param json maps, lists, strings, numbers, booleans, null
   * @return the value
   * @throws LlamaException if it has another form; with the path to the place
   */
  @SuppressWarnings("unchecked") // shapes read the type they are made for
  public T readValue(Object json) {
    return (T) shape.read(json, name);
  }

  /**
   * Writes a value.
   *
   * @param value of the type
   * @return JSON in one line
   */
  public String write(T value) {
    return WRITER.write(shape.write(value));
  }
}
