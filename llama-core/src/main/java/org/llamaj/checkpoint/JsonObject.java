package org.llamaj.checkpoint;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.Json;

/**
 * An object in a JSON file, with typed look-ups whose failures name the file, the place in it, what
 * was expected and what was found. Members that are null count as absent. Immutable.
 */
public final class JsonObject {
  /** Far more than any file that describes a model has. */
  private static final long LARGEST = 64L << 20;

  private final String path;
  private final boolean isRoot;
  private final Map<?, ?> members;

  private JsonObject(String path, boolean isRoot, Map<?, ?> members) {
    this.path = path;
    this.isRoot = isRoot;
    this.members = members;
  }

  /**
   * Reads a file that holds one JSON object.
   *
   * @param file of at most 64 MiB
   * @return the object
   * @throws CheckpointException if the file is missing, unreadable, or holds something else
   */
  public static JsonObject read(Path file) {
    String name = String.valueOf(file.getFileName());
    try {
      long size = Files.size(file);
      if (size > LARGEST) {
        throw new CheckpointException(
            "%s: expected at most %d bytes of JSON, found %d".formatted(name, LARGEST, size));
      }
      return parse(name, Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new CheckpointException("%s: no such file".formatted(file.toAbsolutePath()), e);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(file, e), e);
    }
  }

  /**
   * Reads one JSON object that is the whole text. Names of members must be unique.
   *
   * @param source what messages call it
   * @param utf8 the text
   * @return the object
   * @throws CheckpointException if it is something else
   */
  public static JsonObject parse(String source, byte[] utf8) {
    Object value;
    try (InputStream stream = new ByteArrayInputStream(utf8)) {
      value = Json.parseUnique(stream);
    } catch (TokenizerException | IOException e) {
      throw new CheckpointException(source + ": " + e.getMessage(), e);
    }
    if (value instanceof Map<?, ?> map) return new JsonObject(source, true, map);
    throw new CheckpointException(
        "%s: expected a JSON object, found %s".formatted(source, show(value)));
  }

  /** {@return the names of all members, in the order of the file} */
  public Set<String> names() {
    @SuppressWarnings("unchecked") // JSON has no other names.
    Set<String> names = (Set<String>) members.keySet();
    return Collections.unmodifiableSet(names);
  }

  /**
   * Whether there is such a member, and it is not null.
   *
   * @param name of a member
   * @return true if it is there
   */
  public boolean has(String name) {
    return members.get(name) != null;
  }

  /**
   * A member of any kind.
   *
   * @param name of the member
   * @return a map, list, string, number or boolean; null if it is absent
   */
  public Object value(String name) {
    return members.get(name);
  }

  /**
   * A member that is an object.
   *
   * @param name of the member
   * @return the object; empty if it is absent
   * @throws CheckpointException if it is something else
   */
  public Optional<JsonObject> object(String name) {
    return find(name, Map.class, "an object").map(map -> new JsonObject(path(name), false, map));
  }

  /**
   * A member that must be there and an object.
   *
   * @param name of the member
   * @return the object
   * @throws CheckpointException if it is absent or something else
   */
  public JsonObject requireObject(String name) {
    return object(name).orElseThrow(() -> missing(name, "an object"));
  }

  /**
   * A member that is a string.
   *
   * @param name of the member
   * @return the string; empty if it is absent
   * @throws CheckpointException if it is something else
   */
  public Optional<String> string(String name) {
    return find(name, String.class, "a string");
  }

  /**
   * A member that must be there and a string.
   *
   * @param name of the member
   * @return the string
   * @throws CheckpointException if it is absent or something else
   */
  public String requireString(String name) {
    return string(name).orElseThrow(() -> missing(name, "a string"));
  }

  /**
   * A member that is true or false.
   *
   * @param name of the member
   * @param fallback the value where it is absent
   * @return the value
   * @throws CheckpointException if it is something else
   */
  public boolean boolOr(String name, boolean fallback) {
    return find(name, Boolean.class, "true or false").orElse(fallback);
  }

  /**
   * A member that must be there, an integer, and in a range.
   *
   * @param name of the member
   * @param minimum the smallest value that makes sense
   * @param maximum the largest value that makes sense
   * @return the number
   * @throws CheckpointException if it is not all that
   */
  public int requireInt(String name, int minimum, int maximum) {
    if (!has(name)) throw missing(name, range(minimum, maximum));
    return intOr(name, minimum, minimum, maximum);
  }

  /**
   * A member that must be an integer and in a range if it is there.
   *
   * @param name of the member
   * @param fallback the value where it is absent
   * @param minimum the smallest value that makes sense
   * @param maximum the largest value that makes sense
   * @return the number
   * @throws CheckpointException if it is not all that
   */
  public int intOr(String name, int fallback, int minimum, int maximum) {
    Object value = members.get(name);
    if (value == null) return fallback;
    // Python writes some integers as 8.0.
    if (value instanceof Double real && real == Math.rint(real)) value = real.longValue();
    if (value instanceof Long number && number >= minimum && number <= maximum) {
      return number.intValue();
    }
    throw wrong(name, range(minimum, maximum));
  }

  /**
   * A member that must be there and a finite number.
   *
   * @param name of the member
   * @return the number
   * @throws CheckpointException if it is not all that
   */
  public double requireNumber(String name) {
    if (!has(name)) throw missing(name, "a number");
    return numberOr(name, 0);
  }

  /**
   * A member that must be a finite number if it is there.
   *
   * @param name of the member
   * @param fallback the value where it is absent
   * @return the number
   * @throws CheckpointException if it is something else
   */
  public double numberOr(String name, double fallback) {
    double number = find(name, Number.class, "a number").map(Number::doubleValue).orElse(fallback);
    if (!Double.isFinite(number)) throw wrong(name, "a finite number");
    return number;
  }

  /**
   * Whether a member is an array.
   *
   * @param name of the member
   * @return false if it is absent or something else
   */
  public boolean isArray(String name) {
    return members.get(name) instanceof List;
  }

  /**
   * A member that is an array.
   *
   * @param name of the member
   * @return its elements: maps, lists, strings, numbers, booleans, null; empty if it is absent
   * @throws CheckpointException if it is something else
   */
  public Optional<List<?>> array(String name) {
    return find(name, List.class, "an array").map(list -> (List<?>) list);
  }

  /**
   * A member that must be there and an array of objects.
   *
   * @param name of the member
   * @return the objects
   * @throws CheckpointException if it is absent or something else
   */
  public List<JsonObject> objects(String name) {
    List<?> list = array(name).orElseThrow(() -> missing(name, "an array of objects"));
    JsonObject[] objects = new JsonObject[list.size()];
    for (int i = 0; i < objects.length; i++) {
      if (!(list.get(i) instanceof Map<?, ?> map)) throw wrong(name, "an array of objects");
      objects[i] = new JsonObject("%s[%d]".formatted(path(name), i), false, map);
    }
    return List.of(objects);
  }

  /**
   * A member that is an array of integers, or a single one.
   *
   * @param name of the member
   * @return the integers; none if it is absent
   * @throws CheckpointException if it is something else
   */
  public long[] integers(String name) {
    Object value = members.get(name);
    List<?> list =
        switch (value) {
          case null -> List.of();
          case List<?> several -> several;
          default -> List.of(value);
        };
    return list.stream()
        .mapToLong(
            element -> {
              if (element instanceof Long number) return number;
              throw wrong(name, "integers");
            })
        .toArray();
  }

  /**
   * A failure: a member is not what it should be.
   *
   * @param name of the member
   * @param expected what it should be
   * @return to be thrown
   */
  public CheckpointException wrong(String name, String expected) {
    return new CheckpointException(
        "%s: expected %s, found %s".formatted(path(name), expected, show(members.get(name))));
  }

  /** {@return what messages call this object: the file's name, and where in it} */
  public String path() {
    return path;
  }

  private CheckpointException missing(String name, String expected) {
    return new CheckpointException("%s: expected %s, found none".formatted(path(name), expected));
  }

  private <T> Optional<T> find(String name, Class<T> type, String expected) {
    Object value = members.get(name);
    if (value == null) return Optional.empty();
    if (!type.isInstance(value)) throw wrong(name, expected);
    return Optional.of(type.cast(value));
  }

  private String path(String name) {
    return path + (isRoot ? ": " : ".") + name;
  }

  private static String range(int minimum, int maximum) {
    return maximum == Integer.MAX_VALUE
        ? "an integer of at least " + minimum
        : "an integer from %d to %d".formatted(minimum, maximum);
  }

  private static String show(Object value) {
    String text = value instanceof String string ? '"' + string + '"' : String.valueOf(value);
    return text.length() > 60 ? text.substring(0, 60) + "..." : text;
  }
}
