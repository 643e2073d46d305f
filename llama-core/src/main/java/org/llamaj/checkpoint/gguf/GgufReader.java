package org.llamaj.checkpoint.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.Storage;
import org.llamaj.tensor.Tensor;

/**
 * Opens GGUF files of version 2 or 3 in little-endian order. Whatever a file claims is checked
 * before it is believed; a file that is not whole and consistent is refused with a {@link
 * CheckpointException}. Whether metadata and tensors make a model is not checked here.
 */
public final class GgufReader {
  private static final int STREAM_CHUNK = 1 << 20;

  private GgufReader() {}

  /**
   * Maps a file, or all files of a split model whose first is given; no tensor data is read.
   *
   * @param file the only or the first file
   * @return the open checkpoint
   * @throws CheckpointException if a file is missing, unreadable or damaged
   */
  public static Checkpoint open(Path file) {
    Storage storage = new Storage();
    try {
      return open(file, storage);
    } catch (Throwable failure) {
      storage.close();
      throw failure;
    }
  }

  private static Checkpoint open(Path first, Storage storage) {
    GgufPart part = GgufPart.read(storage.map(first), name(first));
    Metadata metadata = part.metadata();
    List<Tensor> tensors = new ArrayList<>(part.tensors());
    int count = GgufShards.count(metadata);
    if (count > 1) {
      List<Path> others = GgufShards.others(first, count);
      GgufShards.requireNumber(metadata, 0, count);
      for (int i = 1; i < count; i++) {
        Path file = others.get(i - 1);
        part = GgufPart.read(storage.map(file), name(file));
        GgufShards.requireNumber(part.metadata(), i, count);
        tensors.addAll(part.tensors());
      }
      GgufShards.requireTensorCount(metadata, tensors.size());
    }
    return new Checkpoint(metadata, tensors, storage);
  }

  /**
   * Reads a whole model from a stream, such as a class-path resource, into memory outside the heap.
   *
   * @param in read to its end, not closed
   * @param source what messages call it
   * @return the open checkpoint
   * @throws CheckpointException if the stream fails or the model is damaged or split
   */
  public static Checkpoint read(InputStream in, String source) {
    Storage storage = new Storage();
    try {
      return single(copy(in, source, storage.arena()), source, storage);
    } catch (Throwable failure) {
      storage.close();
      throw failure;
    }
  }

  /**
   * Uses a model that is in memory already.
   *
   * @param file the bytes of a GGUF file, which must not change or go while the checkpoint is open
   * @param source what messages call it
   * @return the open checkpoint; closing it does not give {@code file} back
   * @throws CheckpointException if the model is damaged or split
   */
  public static Checkpoint read(MemorySegment file, String source) {
    return single(file, source, new Storage());
  }

  private static Checkpoint single(MemorySegment file, String source, Storage storage) {
    GgufPart part = GgufPart.read(storage.use(file), source);
    int count = GgufShards.count(part.metadata());
    if (count > 1) {
      throw new CheckpointException(
          "%s: split.count: expected a model in one piece, found one of %d files; open it by path"
              .formatted(source, count));
    }
    return new Checkpoint(part.metadata(), part.tensors(), storage);
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private static MemorySegment copy(InputStream in, String source, Arena arena) {
    List<MemorySegment> chunks = new ArrayList<>();
    try (Arena chunkArena = Arena.ofConfined()) {
      long size = 0;
      byte[] buffer = new byte[STREAM_CHUNK];
      for (int n = in.readNBytes(buffer, 0, STREAM_CHUNK);
          n > 0;
          n = in.readNBytes(buffer, 0, STREAM_CHUNK)) {
        MemorySegment chunk = chunkArena.allocate(n);
        chunk.copyFrom(MemorySegment.ofArray(buffer).asSlice(0, n));
        chunks.add(chunk);
        size += n;
      }
      MemorySegment whole = arena.allocate(size, 64);
      long offset = 0;
      for (MemorySegment chunk : chunks) {
        whole.asSlice(offset, chunk.byteSize()).copyFrom(chunk);
        offset += chunk.byteSize();
      }
      return whole;
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(source, e), e);
    }
  }
}
