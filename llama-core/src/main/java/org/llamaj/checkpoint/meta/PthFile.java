package org.llamaj.checkpoint.meta;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.llamaj.LlamaException;
import org.llamaj.tensor.Tensor;

/** One file of {@code torch.save}: a dictionary of tensors, used where they lie. */
final class PthFile {
  /** Of all tensors' descriptions; a hundred times what the largest Llama needs. */
  private static final long LARGEST_PICKLE = 64L << 20;

  private static final String PICKLE = "/data.pkl";

  private PthFile() {}

  /**
   * Reads the descriptions.
   *
   * @param file the whole file
   * @param source what messages call it
   * @return the tensors by name, in the order of the file
   */
  static SequencedMap<String, Tensor> read(MemorySegment file, String source) {
    ZipArchive archive = ZipArchive.read(file, source);
    List<String> pickles =
        archive.entries().keySet().stream().filter(name -> name.endsWith(PICKLE)).toList();
    if (pickles.size() != 1) {
      throw archive.failure("expected one data.pkl, found %d".formatted(pickles.size()));
    }
    String pickle = pickles.getFirst();
    String root = pickle.substring(0, pickle.length() - PICKLE.length() + 1);
    archive
        .find(root + "byteorder")
        .filter(order -> !isText(order, "little"))
        .ifPresent(
            _ -> {
              throw archive.failure("byteorder: expected little");
            });
    MemorySegment program = archive.find(pickle).orElseThrow();
    if (program.byteSize() > LARGEST_PICKLE) {
      throw archive.failure(
          "data.pkl: expected at most %d bytes, found %d"
              .formatted(LARGEST_PICKLE, program.byteSize()));
    }
    if (!(PickleReader.read(program, source) instanceof Map<?, ?> dictionary)) {
      throw archive.failure("data.pkl: expected a dictionary of tensors");
    }
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    dictionary.forEach(
        (name, value) -> {
          if (name instanceof String text && value instanceof PickledTensor tensor) {
            tensors.put(text, tensor(text, tensor, archive, root));
          }
        });
    return tensors;
  }

  private static Tensor tensor(
      String name, PickledTensor described, ZipArchive archive, String root) {
    PickledStorage storage = described.storage();
    MemorySegment data =
        archive
            .find(root + "data/" + storage.key())
            .orElseThrow(
                () ->
                    archive.failure(
                        "%s: expected the entry %sdata/%s, found none"
                            .formatted(name, root, storage.key())));
    long bytes;
    try {
      bytes = storage.type().bytes(described.shape());
    } catch (LlamaException e) {
      throw archive.failure(name + ": " + e.getMessage());
    }
    long values = data.byteSize() / storage.type().blockBytes();
    if (described.offset() > values || described.shape().elements() > values - described.offset()) {
      throw archive.failure(
          "%s: expected %s from value %d on, found only %d values"
              .formatted(name, described.shape(), described.offset(), values));
    }
    return new Tensor(
        name,
        storage.type(),
        described.shape(),
        data.asSlice(described.offset() * storage.type().blockBytes(), bytes));
  }

  private static boolean isText(MemorySegment entry, String expected) {
    return entry.byteSize() <= 16
        && new String(entry.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII)
            .strip()
            .equals(expected);
  }
}
