package org.llamaj.checkpoint;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** Collects metadata under GGUF's keys for checkpoints of other formats. Used by one thread. */
public final class MetadataBuilder {
  private final SequencedMap<String, MetadataValue> values = new LinkedHashMap<>();

  /** Begins with nothing. */
  public MetadataBuilder() {}

  /**
   * Adds a string.
   *
   * @param key new
   * @param value any
   * @return this
   */
  public MetadataBuilder text(String key, String value) {
    return put(key, MetadataValue.Text.of(value));
  }

  /**
   * Adds an integer.
   *
   * @param key new
   * @param value at least 0
   * @return this
   */
  public MetadataBuilder whole(String key, int value) {
    return put(key, new MetadataValue.Whole(MetadataType.UINT32, value));
  }

  /**
   * Adds a number, in single precision.
   *
   * @param key new
   * @param value any
   * @return this
   */
  public MetadataBuilder real(String key, double value) {
    return put(key, new MetadataValue.Real(MetadataType.FLOAT32, (float) value));
  }

  /**
   * Adds a truth value.
   *
   * @param key new
   * @param value any
   * @return this
   */
  public MetadataBuilder flag(String key, boolean value) {
    return put(key, new MetadataValue.Flag(value));
  }

  /**
   * Adds any value.
   *
   * @param key new
   * @param value any
   * @return this
   */
  public MetadataBuilder put(String key, MetadataValue value) {
    values.put(key, value);
    return this;
  }

  /**
   * Ends.
   *
   * @param source what messages call the origin
   * @return what was added, in that order
   */
  public Metadata build(String source) {
    return new Metadata(source, values);
  }
}
