package org.llamaj.convert;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.convert.ImportanceMatrix.Entry;

/**
 * The form of importance matrices until 2025 ({@code .dat}): how many entries, then for each its
 * name, how many pieces of text were read, and the means of the squares times that number; at the
 * end the number of pieces and the name of the text.
 */
final class OldImportanceFile {
  private static final int MAX_ENTRIES = 1 << 20;
  private static final long MAX_BYTES = 1 << 30;

  private final String source;
  private final ByteBuffer data;

  private OldImportanceFile(String source, ByteBuffer data) {
    this.source = source;
    this.data = data;
  }

  /** Whether a file may be one: it does not begin as GGUF does. */
  static boolean isOne(Path file) {
    try (var in = Files.newInputStream(file)) {
      return !new String(in.readNBytes(4), StandardCharsets.ISO_8859_1).equals("GGUF");
    } catch (IOException e) {
      return false; // whoever opens it will say why
    }
  }

  static ImportanceMatrix read(Path file) {
    String source = String.valueOf(file.getFileName());
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new CheckpointException(source + ": expected an importance matrix, found more");
      }
      ByteBuffer data = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      return new OldImportanceFile(source, data).read();
    } catch (BufferUnderflowException e) {
      throw new CheckpointException(
          source + ": expected an importance matrix, found only a part of one, or another file", e);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(file, e), e);
    }
  }

  private ImportanceMatrix read() {
    SequencedMap<String, Entry> entries = new LinkedHashMap<>();
    int count = number("entries", 1, MAX_ENTRIES);
    for (int i = 0; i < count; i++) {
      String name = text(number("the length of a name", 1, 1024));
      int pieces = number(name + ": pieces of text", 1, Integer.MAX_VALUE);
      float[] sums = new float[number(name + ": values", 1, data.remaining() / 4)];
      for (int j = 0; j < sums.length; j++) {
        sums[j] = data.getFloat();
        if (!(sums[j] >= 0) || !Float.isFinite(sums[j])) {
          throw new CheckpointException(
              "%s: %s: expected finite numbers of at least 0, found %s"
                  .formatted(source, name, sums[j]));
        }
      }
      entries.put(name, new Entry(sums, new float[] {pieces}));
    }
    int chunks = data.hasRemaining() ? number("pieces of text", 0, Integer.MAX_VALUE) : 0;
    String dataset = data.hasRemaining() ? text(number("the length of a name", 0, 1 << 16)) : "";
    return new ImportanceMatrix(source, dataset, chunks, 0, entries);
  }

  private int number(String what, int minimum, int maximum) {
    int value = data.getInt();
    if (value < minimum || value > maximum) {
      throw new CheckpointException(
          "%s: %s: expected %d to %d, found %d; is it an importance matrix?"
              .formatted(source, what, minimum, maximum, value));
    }
    return value;
  }

  private String text(int length) {
    byte[] bytes = new byte[length];
    data.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
