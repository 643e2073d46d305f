package org.llamaj.tensor.quantize;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.encoding.NonLinear;

/**
 * Turns floats into values of one type, with the scales that make the weighted squared error
 * smallest. Has scratch memory of its own: one for each thread, used for any number of tensors.
 *
 * <p>Values that are not finite are refused: a block with one would decode to nothing but NaN.
 */
public final class Quantizer {
  private static final Set<ElementType> TYPES =
      EnumSet.of(
          ElementType.F32,
          ElementType.F16,
          ElementType.BF16,
          ElementType.Q4_0,
          ElementType.Q4_1,
          ElementType.Q5_0,
          ElementType.Q5_1,
          ElementType.Q8_0,
          ElementType.Q2_K,
          ElementType.Q3_K,
          ElementType.Q4_K,
          ElementType.Q5_K,
          ElementType.Q6_K,
          ElementType.IQ4_NL,
          ElementType.IQ4_XS);

  private final ElementType type;
  private final BlockEncoder encoder;
  private final float[] weights = new float[BlockEncoder.TILE];

  private Quantizer(ElementType type, BlockEncoder encoder) {
    this.type = type;
    this.encoder = encoder;
  }

  /**
   * Whether there is a quantizer for a type.
   *
   * @param type any type
   * @return true if {@link #of} makes one
   */
  public static boolean supports(ElementType type) {
    return TYPES.contains(type);
  }

  /**
   * A quantizer.
   *
   * @param type of its results
   * @return for one thread
   * @throws LlamaException if the type can only be read
   */
  public static Quantizer of(ElementType type) {
    return new Quantizer(type, encoder(type));
  }

  private static BlockEncoder encoder(ElementType type) {
    return switch (type) {
      case F32, F16, BF16 -> new PlainEncoder(type);
      case Q4_0 -> new ScaledBlocks(type, Grid.Linear.of(-8, 7, 6.4f, 8.8f, 9), true);
      case Q5_0 -> new ScaledBlocks(type, Grid.Linear.of(-16, 15, 14, 16.6f, 7), true);
      case Q8_0 -> new ScaledBlocks(type, Grid.Linear.of(-127, 127, 126, 127.4f, 3), false);
      case IQ4_NL -> new ScaledBlocks(type, levels(), true);
      case Q4_1 -> new AffineBlocks(type, Grid.Linear.of(0, 15, 13.6f, 16.4f, 6));
      case Q5_1 -> new AffineBlocks(type, Grid.Linear.of(0, 31, 29, 33, 6));
      case Q2_K ->
          new AffineSuperBlocks(
              type, 16, Grid.Linear.of(0, 3, 2, 4, 9), Grid.Linear.of(0, 15, 9, 15.5f, 14));
      case Q4_K ->
          new AffineSuperBlocks(
              type,
              32,
              Grid.Linear.of(0, 15, 13.6f, 16.4f, 6),
              Grid.Linear.of(0, 63, 52, 63.4f, 6));
      case Q5_K ->
          new AffineSuperBlocks(
              type, 32, Grid.Linear.of(0, 31, 29, 33, 6), Grid.Linear.of(0, 63, 52, 63.4f, 6));
      case Q3_K ->
          new ScaledSuperBlocks(
              type, 16, Grid.Linear.of(-4, 3, 2.4f, 4.6f, 12), subScales(-32, 31, 24, 32.5f));
      case Q6_K ->
          new ScaledSuperBlocks(
              type, 16, Grid.Linear.of(-32, 31, 30, 32.4f, 5), subScales(-128, 127, 100, 128));
      case IQ4_XS -> new ScaledSuperBlocks(type, 32, levels(), subScales(-32, 31, 24, 32.5f));
      default -> throw unsupported(type);
    };
  }

  /**
   * Refuses types that can only be read.
   *
   * @param type any type
   * @throws LlamaException if there is no quantizer for it
   */
  public static void requireSupported(ElementType type) {
    if (!supports(type)) throw unsupported(type);
  }

  private static LlamaException unsupported(ElementType type) {
    return new LlamaException(
        "%s can be read but not written; choose one of %s".formatted(type, TYPES));
  }

  private static Grid levels() {
    return Grid.Levels.of(NonLinear.levels(), 95, 135, 7);
  }

  private static Grid.Linear subScales(int low, int high, float first, float last) {
    return Grid.Linear.of(low, high, first, last, 10);
  }

  /** {@return the type of the results} */
  public ElementType type() {
    return type;
  }

  /**
   * Encodes rows.
   *
   * @param values row after row from index 0 on
   * @param columns values of a row, a multiple of the type's block size
   * @param rows how many rows
   * @param importance how much an error counts, by column, at least 0; empty if all count the same
   * @param target receives the blocks
   * @param offset where in {@code target}
   * @throws LlamaException if a value is not finite or too large for the type, or the columns are
   *     no whole blocks; the message does not know the tensor's name
   */
  public void quantize(
      float[] values,
      int columns,
      int rows,
      float[] importance,
      MemorySegment target,
      long offset) {
    type.rowBytes(columns);
    requireFinite(values, columns, rows);
    int count = columns * rows;
    if (importance.length == 0) Arrays.fill(weights, 1);
    for (int from = 0; from < count; from += BlockEncoder.TILE) {
      int tile = Math.min(BlockEncoder.TILE, count - from);
      if (importance.length > 0) setWeights(importance, from % columns, tile);
      long at = offset + (long) (from / type.blockSize()) * type.blockBytes();
      encoder.encode(values, from, tile, weights, target, at);
    }
  }

  private static void requireFinite(float[] values, int columns, int rows) {
    for (int i = 0; i < columns * rows; i++) {
      if (!Float.isFinite(values[i])) {
        throw new LlamaException(
            "expected finite values, found %s in row %d, column %d"
                .formatted(values[i], i / columns, i % columns));
      }
    }
  }

  /**
   * The importance of each value; where all of a block's is 0, its errors count the same, as some
   * scale has to be found.
   */
  private void setWeights(float[] importance, int column, int count) {
    for (int i = 0; i < count; i++) {
      weights[i] = importance[column];
      if (++column == importance.length) column = 0;
    }
    int block = type.blockSize();
    for (int from = 0; from < count; from += block) {
      boolean allZero = true;
      for (int i = from; i < from + block; i++) allZero &= weights[i] <= 0;
      if (allZero) Arrays.fill(weights, from, from + block, 1);
    }
  }
}
