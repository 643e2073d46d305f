package org.llamaj.checkpoint;

import java.util.Optional;

/** The types of metadata values; numbers and widths are GGUF's. */
public enum MetadataType {
  /** An unsigned byte. */
  UINT8(1, "integer"),
  /** A signed byte. */
  INT8(1, "integer"),
  /** An unsigned 16-bit integer. */
  UINT16(2, "integer"),
  /** A signed 16-bit integer. */
  INT16(2, "integer"),
  /** An unsigned 32-bit integer. */
  UINT32(4, "integer"),
  /** A signed 32-bit integer. */
  INT32(4, "integer"),
  /** IEEE single precision. */
  FLOAT32(4, "number"),
  /** A byte that is 0 or 1. */
  BOOL(1, "boolean"),
  /** 64-bit length, UTF-8. */
  STRING(0, "string"),
  /** 32-bit element type, 64-bit length, elements. */
  ARRAY(0, "array"),
  /** An unsigned 64-bit integer. */
  UINT64(8, "integer"),
  /** A signed 64-bit integer. */
  INT64(8, "integer"),
  /** IEEE double precision. */
  FLOAT64(8, "number");

  private static final MetadataType[] BY_ID = values();

  private final int bytes;
  private final String noun;

  MetadataType(int bytes, String noun) {
    this.bytes = bytes;
    this.noun = noun;
  }

  /**
   * The type with this number in GGUF files.
   *
   * @param id any number
   * @return empty for numbers that GGUF does not define
   */
  public static Optional<MetadataType> of(int id) {
    return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.of(BY_ID[id]);
  }

  /** {@return the number of this type in GGUF files} */
  public int id() {
    return ordinal();
  }

  /** {@return the bytes of a value; 0 if they vary, for strings and arrays} */
  public int bytes() {
    return bytes;
  }

  /** {@return whether values are whole numbers} */
  public boolean isInteger() {
    return noun.equals("integer");
  }

  /** {@return whether values are floating-point numbers} */
  public boolean isReal() {
    return noun.equals("number");
  }

  /** {@return what messages call a value of this type: integer, number, string, ...} */
  public String noun() {
    return noun;
  }
}
