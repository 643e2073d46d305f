package org.llamaj.tokenizer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The metadata of a GGUF file, read just well enough for the tests of this module. */
public final class GgufFile implements TokenizerMetadata {
  private final Map<String, Object> values;

  private GgufFile(Map<String, Object> values) {
    this.values = values;
  }

  public static GgufFile of(Map<String, Object> values) {
    return new GgufFile(values);
  }

  public static GgufFile read(Path path) {
    try {
      ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
      file.position(16);
      long count = file.getLong();
      Map<String, Object> values = new LinkedHashMap<>();
      for (long i = 0; i < count; i++) {
        String key = new String(string(file), StandardCharsets.UTF_8);
        values.put(key, value(file, file.getInt()));
      }
      return new GgufFile(values);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Map<String, Object> values() {
    return values;
  }

  @Override
  public Optional<String> string(String key) {
    return get(key, byte[].class).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
  }

  @Override
  public OptionalLong integer(String key) {
    return get(key, Long.class).map(OptionalLong::of).orElse(OptionalLong.empty());
  }

  @Override
  public Optional<Boolean> bool(String key) {
    return get(key, Boolean.class);
  }

  @Override
  public Optional<ByteStrings> strings(String key) {
    return get(key, byte[][].class).map(ByteStrings::of);
  }

  @Override
  public Optional<float[]> floats(String key) {
    return get(key, float[].class);
  }

  @Override
  public Optional<int[]> integers(String key) {
    return get(key, int[].class);
  }

  private <T> Optional<T> get(String key, Class<T> type) {
    Object value = values.get(key);
    if (value != null && !type.isInstance(value)) {
      throw new TokenizerException(
          "%s: expected %s, found %s"
              .formatted(key, type.getSimpleName(), value.getClass().getSimpleName()));
    }
    return Optional.ofNullable(type.cast(value));
  }

  private static byte[] string(ByteBuffer file) {
    byte[] bytes = new byte[Math.toIntExact(file.getLong())];
    file.get(bytes);
    return bytes;
  }

  private static Object value(ByteBuffer file, int type) {
    return switch (type) {
      case 0 -> (long) Byte.toUnsignedInt(file.get());
      case 1 -> (long) file.get();
      case 2 -> (long) Short.toUnsignedInt(file.getShort());
      case 3 -> (long) file.getShort();
      case 4 -> Integer.toUnsignedLong(file.getInt());
      case 5 -> (long) file.getInt();
      case 6 -> file.getFloat();
      case 7 -> file.get() != 0;
      case 8 -> string(file);
      case 9 -> array(file, file.getInt(), Math.toIntExact(file.getLong()));
      case 10, 11 -> file.getLong();
      case 12 -> file.getDouble();
      default -> throw new IllegalStateException("Type " + type);
    };
  }

  private static Object array(ByteBuffer file, int type, int count) {
    switch (type) {
      case 8 -> {
        byte[][] strings = new byte[count][];
        for (int i = 0; i < count; i++) {
          strings[i] = string(file);
        }
        return strings;
      }
      case 6 -> {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
          floats[i] = file.getFloat();
        }
        return floats;
      }
      default -> {
        int[] integers = new int[count];
        for (int i = 0; i < count; i++) {
          Object value = value(file, type);
          integers[i] = value instanceof Long number ? number.intValue() : 0;
        }
        return integers;
      }
    }
  }
}
