package org.llamaj.checkpoint.gguf;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.TensorDescription;

/**
 * Writes a GGUF model of version 3 from its start to its end, in one file or in several, so that no
 * tensor has to be in memory. All tensors are described first; then their data is written in the
 * same order, in pieces of any size. The files get their names when {@link #finish} has found them
 * complete and on the disk; what is closed earlier, or fails, leaves nothing behind. Not
 * thread-safe.
 */
public final class GgufWriter implements AutoCloseable {
  private final Path target;
  private final SequencedMap<String, MetadataValue> metadata;
  private final List<List<TensorDescription>> shards;
  private final int tensorCount;
  private final int alignment;
  private final List<PartialFile> files = new ArrayList<>();
  private List<TensorDescription> tensors = List.of(); // of the current shard
  private int current;
  private long writtenOfCurrent;

  private GgufWriter(
      Path target,
      SequencedMap<String, MetadataValue> metadata,
      List<List<TensorDescription>> shards,
      int alignment) {
    this.target = target;
    this.metadata = metadata;
    this.shards = shards;
    this.alignment = alignment;
    tensorCount = shards.stream().mapToInt(List::size).sum();
  }

  /**
   * Starts a file with everything but the tensors' data.
   *
   * @param file to be written, or replaced
   * @param metadata by key; {@code general.alignment} is obeyed
   * @param tensors in the order in which the data will be written
   * @return a writer that expects the data
   * @throws CheckpointException if the file cannot be written
   */
  public static GgufWriter create(
      Path file, SequencedMap<String, MetadataValue> metadata, List<TensorDescription> tensors) {
    return create(file, metadata, tensors, Long.MAX_VALUE);
  }

  /**
   * Starts a model of one file, or of several where it is large: {@code model.gguf} becomes {@code
   * model-00001-of-00003.gguf} and so on, as llama.cpp names and opens them.
   *
   * @param file to be written, or replaced, if one is enough
   * @param metadata by key, written to the first file; {@code general.alignment} is obeyed
   * @param tensors in the order in which the data will be written
   * @param maxBytes the most tensor data of a file, unless a single tensor has more
   * @return a writer that expects the data
   * @throws CheckpointException if the first file cannot be written
   */
  public static GgufWriter create(
      Path file,
      SequencedMap<String, MetadataValue> metadata,
      List<TensorDescription> tensors,
      long maxBytes) {
    String name = String.valueOf(file.getFileName());
    int alignment = GgufPart.alignment(new Metadata(name, metadata));
    GgufWriter writer = new GgufWriter(file, metadata, shards(tensors, maxBytes), alignment);
    try {
      writer.startShard();
      return writer;
    } catch (Throwable failure) {
      writer.close();
      throw failure;
    }
  }

  private static List<List<TensorDescription>> shards(
      List<TensorDescription> tensors, long maxBytes) {
    List<List<TensorDescription>> shards = new ArrayList<>(List.of(new ArrayList<>()));
    long bytes = 0;
    for (TensorDescription tensor : tensors) {
      if (!shards.getLast().isEmpty() && tensor.bytes() > maxBytes - bytes) {
        shards.add(new ArrayList<>());
        bytes = 0;
      }
      shards.getLast().add(tensor);
      bytes += tensor.bytes();
    }
    return shards;
  }

  private void startShard() {
    int number = files.size();
    PartialFile file = PartialFile.create(path(number));
    files.add(file);
    tensors = shards.get(number);
    current = 0;
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    GgufHeader.write(header, metadataOf(number), tensors, alignment);
    file.write(MemorySegment.ofArray(header.toByteArray()));
    file.pad(alignment);
  }

  private Path path(int shard) {
    return shards.size() == 1 ? target : GgufShards.path(target, shard, shards.size());
  }

  private SequencedMap<String, MetadataValue> metadataOf(int shard) {
    if (shards.size() == 1) return metadata;
    SequencedMap<String, MetadataValue> ofShard = new LinkedHashMap<>();
    if (shard == 0) {
      ofShard.putAll(metadata);
    } else if (metadata.containsKey("general.alignment")) {
      ofShard.put("general.alignment", metadata.get("general.alignment"));
    }
    ofShard.put("split.no", new Whole(MetadataType.UINT16, shard));
    ofShard.put("split.count", new Whole(MetadataType.UINT16, shards.size()));
    ofShard.put("split.tensors.count", new Whole(MetadataType.INT32, tensorCount));
    return ofShard;
  }

  /**
   * The next bytes of the current tensor; after its last byte the next tensor becomes current.
   *
   * @param data little-endian, as in {@link org.llamaj.tensor.Tensor#data}
   * @throws CheckpointException if the current tensor has fewer bytes left, or writing fails
   */
  public void write(MemorySegment data) {
    if (data.byteSize() == 0) return;
    if (current == tensors.size() && files.size() < shards.size()) {
      files.getLast().seal();
      startShard();
    }
    long left = current < tensors.size() ? tensors.get(current).bytes() - writtenOfCurrent : 0;
    if (data.byteSize() > left) {
      throw new CheckpointException(
          "%s: expected %d more bytes of %s, found %d"
              .formatted(
                  target,
                  left,
                  current < tensors.size() ? tensors.get(current).name() : "tensor data",
                  data.byteSize()));
    }
    files.getLast().write(data);
    writtenOfCurrent += data.byteSize();
    if (data.byteSize() == left) {
      files.getLast().pad(alignment);
      current++;
      writtenOfCurrent = 0;
    }
  }

  /**
   * Checks that the data of all tensors has been written, brings it to the disk, and gives the
   * files their names.
   *
   * @return the files, in order
   * @throws CheckpointException if data is missing, or a file cannot be written
   */
  public List<Path> finish() {
    if (current < tensors.size() || files.size() < shards.size()) throw incomplete();
    files.getLast().seal();
    files.forEach(PartialFile::publish);
    return files.stream().map(PartialFile::file).toList();
  }

  private CheckpointException incomplete() {
    int begun = 0;
    for (int i = 0; i < files.size() - 1; i++) begun += shards.get(i).size();
    begun += current;
    TensorDescription tensor =
        current < tensors.size() ? tensors.get(current) : shards.get(files.size()).getFirst();
    return new CheckpointException(
        "%s: expected %d more bytes of %s and %d more tensors, found the end"
            .formatted(
                target, tensor.bytes() - writtenOfCurrent, tensor.name(), tensorCount - begun - 1));
  }

  /** Deletes what is not finished. */
  @Override
  public void close() {
    files.forEach(PartialFile::discard);
  }
}
