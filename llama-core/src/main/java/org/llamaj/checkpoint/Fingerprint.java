package org.llamaj.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import org.llamaj.tensor.Tensor;

/**
 * Tells models and adapters apart: SHA-256 over metadata, the table of tensors, and the first bytes
 * of each tensor, which differ between a model and its fine-tunes.
 */
public final class Fingerprint {
  /** Bytes of a fingerprint. */
  public static final int LENGTH = 32;

  private static final long TENSOR_BYTES = 64;

  private final MessageDigest digest;

  private Fingerprint() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * Computes the fingerprint of a model; reads one page of each tensor.
   *
   * @param checkpoint an open checkpoint
   * @param variant how it runs, as far as that changes its results
   * @return {@link #LENGTH} bytes
   * @throws CheckpointException if the checkpoint is closed, or is being closed by another thread
   */
  public static byte[] of(Checkpoint checkpoint, String variant) {
    Fingerprint fingerprint = new Fingerprint();
    fingerprint.add(variant);
    try {
      checkpoint.metadata().values().forEach(fingerprint::add);
      checkpoint.tensors().forEach(fingerprint::add);
    } catch (IllegalStateException e) {
      if (checkpoint.isOpen()) {
        throw e;
      }
      throw new CheckpointException(checkpoint.source() + " was closed meanwhile", e);
    }
    return fingerprint.digest.digest();
  }

  /**
   * Computes the fingerprint of an adapter; reads one page of each tensor.
   *
   * @param adapter an open adapter
   * @return {@link #LENGTH} bytes
   */
  public static byte[] of(AdapterCheckpoint adapter) {
    Fingerprint fingerprint = new Fingerprint();
    adapter
        .pairs()
        .forEach(
            (weight, pair) -> {
              fingerprint.add(weight);
              fingerprint.add(pair.down());
              fingerprint.add(pair.up());
              fingerprint.add(Double.toString(pair.scaling()));
            });
    return fingerprint.digest.digest();
  }

  /**
   * Puts what was used together into one fingerprint.
   *
   * @param parts fingerprints
   * @param scales how strongly each was used
   * @return {@link #LENGTH} bytes, all 0 if there are no parts
   */
  public static byte[] of(List<byte[]> parts, List<Float> scales) {
    if (parts.isEmpty()) {
      return new byte[LENGTH];
    }
    Fingerprint fingerprint = new Fingerprint();
    for (int i = 0; i < parts.size(); i++) {
      fingerprint.digest.update(parts.get(i));
      fingerprint.add(Float.toString(scales.get(i)));
    }
    return fingerprint.digest.digest();
  }

  private void add(String key, MetadataValue value) {
    add(key);
    switch (value) {
      case MetadataValue.Text text -> digest.update(text.bytes());
      case MetadataValue.Sequence sequence -> digest.update(sequence.bytes());
      default -> add(value.toString());
    }
  }

  private void add(Tensor tensor) {
    add(tensor.name());
    add(tensor.type().name());
    add(tensor.shape().toString());
    MemorySegment data = tensor.data();
    digest.update(
        data.asSlice(0, Math.min(TENSOR_BYTES, data.byteSize())).toArray(ValueLayout.JAVA_BYTE));
  }

  private void add(String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
  }
}
