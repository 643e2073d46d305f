package org.llamaj.checkpoint.safetensors;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.StringJoiner;

/** Writes safetensors files for tests, right ones and wrong ones. */
final class SafetensorsWriter {
  private final StringJoiner header = new StringJoiner(",", "{", "}");
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();

  /**
   * Adds a tensor.
   *
   * @param name in the file
   * @param type {@code F32} and so on
   * @param shape outermost dimension first
   * @param bytes its data
   * @return this
   */
  public SafetensorsWriter add(String name, String type, long[] shape, byte[] bytes) {
    entry(name, type, Arrays.toString(shape), data.size(), data.size() + bytes.length);
    data.writeBytes(bytes);
    return this;
  }

  /** Adds a line to the header, which may claim anything. */
  SafetensorsWriter entry(String name, String type, String shape, long begin, long end) {
    return raw(
        "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
            .formatted(name, type, shape, begin, end));
  }

  SafetensorsWriter raw(String member) {
    header.add(member);
    return this;
  }

  SafetensorsWriter data(int bytes) {
    data.writeBytes(new byte[bytes]);
    return this;
  }

  /** {@return the whole file} */
  public byte[] bytes() {
    return file(header.toString(), data.toByteArray());
  }

  /**
   * Writes the file.
   *
   * @param file its place
   * @return its place
   */
  public Path write(Path file) {
    try {
      return Files.write(file, bytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] file(String header, byte[] data) {
    byte[] utf8 = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + utf8.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(utf8.length)
        .put(utf8)
        .put(data)
        .array();
  }

  /**
   * Values as bytes.
   *
   * @param values any
   * @return little-endian single precision
   */
  public static byte[] floats(float... values) {
    ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) buffer.putFloat(value);
    return buffer.array();
  }
}
