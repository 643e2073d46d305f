package org.llamaj.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.llamaj.tokenizer.json.Json;

/** Where the reference data is, and its JSON as typed values. */
public final class Golden {
  private Golden() {}

  /** A file of the whole reference data; skips the test where that is not present. */
  public static Path file(String name) {
    Path file = Path.of(System.getProperty("golden.dir", "../../shared/golden")).resolve(name);
    assumeTrue(Files.exists(file), () -> "no reference data: " + file);
    return file;
  }

  /** A file of the reference data that is small enough to be among the test resources. */
  public static Path resource(String name) {
    try {
      return Path.of(Golden.class.getResource("/golden/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  public static Record json(Path file) {
    try {
      return new Record(Json.parse(Files.readString(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static List<Record> lines(Path file) {
    try (Stream<String> lines = Files.lines(file)) {
      // Python writes infinite numbers in a way that is no JSON.
      return lines
          .map(line -> new Record(Json.parse(line.replace(": Infinity", ": 1e999"))))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A JSON object. */
  public record Record(Object value) {
    public boolean has(String key) {
      return map().containsKey(key);
    }

    public Object get(String key) {
      return map().get(key);
    }

    public String string(String key) {
      return (String) get(key);
    }

    public int integer(String key) {
      return ((Number) get(key)).intValue();
    }

    public boolean bool(String key) {
      return Boolean.TRUE.equals(get(key));
    }

    public int[] ids(String key) {
      return list(key).stream().mapToInt(id -> ((Number) id).intValue()).toArray();
    }

    public List<?> list(String key) {
      return (List<?>) get(key);
    }

    public List<String> strings(String key) {
      return list(key).stream().map(String.class::cast).toList();
    }

    public List<Record> records(String key) {
      return list(key).stream().map(Record::new).toList();
    }

    public Record record(String key) {
      return new Record(get(key));
    }

    public Map<?, ?> map() {
      return (Map<?, ?>) value;
    }

    @Override
    public String toString() {
      return map().containsKey("id") ? string("id") : value.toString();
    }
  }
}
