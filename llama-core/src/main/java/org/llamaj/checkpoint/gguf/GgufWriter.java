package org.llamaj.checkpoint.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.SequencedMap;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.TensorDescription;

/**
 * Writes a GGUF file of version 3 from its start to its end, so that no tensor has to be in memory.
 * All tensors are described first; then their data is written in the same order, in pieces of any
 * size. The file gets its name when {@link #finish} has found it complete; a file that is closed
 * earlier is deleted. Not thread-safe.
 */
public final class GgufWriter implements AutoCloseable {
  private static final int MAX_PIECE = 1 << 26;

  private final Path file;
  private final Path partial;
  private final List<TensorDescription> tensors;
  private final int alignment;
  private final FileChannel channel;
  private int current;
  private long writtenOfCurrent;
  private boolean finished;

  private GgufWriter(
      Path file,
      Path partial,
      List<TensorDescription> tensors,
      int alignment,
      FileChannel channel) {
    this.file = file;
    this.partial = partial;
    this.tensors = tensors;
    this.alignment = alignment;
    this.channel = channel;
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
    String name = String.valueOf(file.getFileName());
    int alignment = GgufPart.alignment(new Metadata(name, metadata));
    Path partial = file.resolveSibling(name + ".partial");
    try {
      FileChannel channel =
          FileChannel.open(
              partial,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING);
      GgufWriter writer = new GgufWriter(file, partial, List.copyOf(tensors), alignment, channel);
      try {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        GgufHeader.write(header, metadata, tensors, alignment);
        writer.put(MemorySegment.ofArray(header.toByteArray()));
        writer.pad();
        return writer;
      } catch (Throwable failure) {
        writer.close();
        throw failure;
      }
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be written: %s".formatted(partial, e), e);
    }
  }

  /**
   * The next bytes of the current tensor; after its last byte the next tensor becomes current.
   *
   * @param data little-endian, as in {@link org.llamaj.tensor.Tensor#data}
   * @throws CheckpointException if the current tensor has fewer bytes left, or writing fails
   */
  public void write(MemorySegment data) {
    if (data.byteSize() == 0) return;
    long left = current < tensors.size() ? tensors.get(current).bytes() - writtenOfCurrent : 0;
    if (data.byteSize() > left) {
      throw new CheckpointException(
          "%s: expected %d more bytes of %s, found %d"
              .formatted(
                  file,
                  left,
                  current < tensors.size() ? tensors.get(current).name() : "tensor data",
                  data.byteSize()));
    }
    try {
      put(data);
      writtenOfCurrent += data.byteSize();
      if (data.byteSize() == left) {
        pad();
        current++;
        writtenOfCurrent = 0;
      }
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be written: %s".formatted(partial, e), e);
    }
  }

  /**
   * Checks that the data of all tensors has been written, and gives the file its name.
   *
   * @throws CheckpointException if data is missing, or the file cannot be written
   */
  public void finish() {
    if (current < tensors.size()) {
      TensorDescription tensor = tensors.get(current);
      throw new CheckpointException(
          "%s: expected %d more bytes of %s and %d more tensors, found the end"
              .formatted(
                  file,
                  tensor.bytes() - writtenOfCurrent,
                  tensor.name(),
                  tensors.size() - current - 1));
    }
    try {
      channel.close();
      Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
      finished = true;
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be written: %s".formatted(file, e), e);
    }
  }

  /** Deletes the file if it is not finished. */
  @Override
  public void close() {
    if (finished) return;
    try {
      channel.close();
      Files.deleteIfExists(partial);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be deleted: %s".formatted(partial, e), e);
    }
  }

  private void put(MemorySegment data) throws IOException {
    for (long offset = 0; offset < data.byteSize(); offset += MAX_PIECE) {
      long length = Math.min(MAX_PIECE, data.byteSize() - offset);
      ByteBuffer piece = data.asSlice(offset, length).asByteBuffer();
      while (piece.hasRemaining()) channel.write(piece);
    }
  }

  private void pad() throws IOException {
    int padding = (int) (-channel.position() & alignment - 1);
    put(MemorySegment.ofArray(new byte[padding]));
  }
}
