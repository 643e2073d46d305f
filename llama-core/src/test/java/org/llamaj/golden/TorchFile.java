package org.llamaj.golden;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes files as torch.save does: a zip archive without compression around a pickle. */
public final class TorchFile {
  private final ByteArrayOutputStream pickle = new ByteArrayOutputStream();
  private final Map<String, byte[]> entries = new LinkedHashMap<>();

  /** Begins the dictionary. */
  public TorchFile() {
    raw("\u0080\u0002}(");
  }

  /**
   * Adds a tensor.
   *
   * @param name its key
   * @param storage {@code FloatStorage} and so on
   * @param shape outermost dimension first
   * @param data its values
   * @return this
   */
  public TorchFile add(String name, String storage, long[] shape, byte[] data) {
    String key = Integer.toString(entries.size());
    entries.put("archive/data/" + key, data);
    text(name).tensor(storage, key, 0, shape);
    return this;
  }

  /** Adds a description whose values are in any entry. */
  TorchFile tensor(String storage, String key, int offset, long... shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    raw("ctorch._utils\n_rebuild_tensor_v2\n(");
    raw("(").text("storage").raw("ctorch\n" + storage + "\n").text(key).text("cpu");
    integer(stride).raw("tQ");
    integer(offset).tuple(shape).tuple(strides).raw("\u0089");
    return raw("ccollections\nOrderedDict\n)RtR");
  }

  TorchFile tuple(long... values) {
    raw("(");
    for (long value : values) integer(value);
    return raw("t");
  }

  TorchFile integer(long value) {
    pickle.write('J');
    for (int i = 0; i < 4; i++) pickle.write((int) (value >> 8 * i));
    return this;
  }

  TorchFile text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    pickle.write('X');
    for (int i = 0; i < 4; i++) pickle.write(utf8.length >> 8 * i);
    pickle.writeBytes(utf8);
    return this;
  }

  /** Adds opcodes, one byte a character. */
  TorchFile raw(String opcodes) {
    pickle.writeBytes(opcodes.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  TorchFile entry(String name, byte[] data) {
    entries.put(name, data);
    return this;
  }

  /** {@return the whole file} */
  public byte[] bytes() {
    raw("u.");
    Map<String, byte[]> all = new LinkedHashMap<>();
    all.put("archive/data.pkl", pickle.toByteArray());
    all.putAll(entries);
    return zip(all, ZipEntry.STORED);
  }

  static byte[] zip(Map<String, byte[]> entries, int method) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(file)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        ZipEntry header = new ZipEntry(entry.getKey());
        header.setMethod(method);
        CRC32 crc = new CRC32();
        crc.update(entry.getValue());
        header.setCrc(crc.getValue());
        header.setSize(entry.getValue().length);
        zip.putNextEntry(header);
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return file.toByteArray();
  }
}
