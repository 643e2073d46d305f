package org.llamaj.checkpoint.huggingface;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Some outputs of all experts of a layer: from [experts, inputs, outputs] to [experts, outputs,
 * inputs].
 */
final class TransposedExperts {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Tensor source;
  private final long firstOutput;
  private final long outputs;
  private final int inputs;
  private final float[] scales; // [experts, all outputs], or null

  private TransposedExperts(Tensor source, long firstOutput, long outputs, Tensor scale) {
    this.source = source;
    this.firstOutput = firstOutput;
    this.outputs = outputs;
    inputs = Math.toIntExact(source.shape().size(1));
    scales = scale == null ? null : ScaledWeights.scales(scale);
    long expected = source.shape().size(0) * source.columns();
    if (scales != null && scales.length != expected) {
      throw new CheckpointException(
          "%s: expected a scale for each of %d outputs of %s, found %s"
              .formatted(scale.name(), expected, source.name(), scale.shape()));
    }
  }

  /**
   * The recipe.
   *
   * @param name in GGUF
   * @param source [experts, inputs, outputs]
   * @param firstOutput the first output that is wanted
   * @param outputs how many are
   * @param scale of each expert's outputs, for 8-bit floats; else null
   */
  static DerivedTensor of(
      String name, Tensor source, long firstOutput, long outputs, Tensor scale) {
    TransposedExperts experts = new TransposedExperts(source, firstOutput, outputs, scale);
    Shape shape = Shape.of(source.shape().size(0), outputs, experts.inputs);
    return switch (source.type()) {
      case F32 -> recipe(name, ElementType.F32, shape, "transposed", experts::copyInts);
      case F16, BF16 -> recipe(name, source.type(), shape, "transposed", experts::copyShorts);
      case F8_E4M3, F8_E5M2 ->
          recipe(name, ElementType.BF16, shape, "transposed, in BF16", experts::convert);
      default ->
          throw new CheckpointException(
              "%s: expected floating-point values, found %s"
                  .formatted(source.name(), source.type()));
    };
  }

  private static DerivedTensor recipe(
      String name, ElementType type, Shape shape, String how, DerivedTensor.RowMaker maker) {
    return new DerivedTensor(new TensorDescription(name, type, shape), how, maker);
  }

  /** The index in the source of an output's weight for input 0. */
  private long index(long row) {
    return row / outputs * inputs * source.columns() + firstOutput + row % outputs;
  }

  /** Input by input, so that neighbouring outputs are read together. */
  private void copyShorts(long first, int count, MemorySegment target) {
    long[] from = indexes(first, count);
    for (int input = 0; input < inputs; input++) {
      long skip = input * source.columns();
      for (int row = 0; row < count; row++) {
        short value = source.data().get(SHORT, 2 * (from[row] + skip));
        target.set(SHORT, 2 * ((long) row * inputs + input), value);
      }
    }
  }

  private void copyInts(long first, int count, MemorySegment target) {
    long[] from = indexes(first, count);
    for (int input = 0; input < inputs; input++) {
      long skip = input * source.columns();
      for (int row = 0; row < count; row++) {
        int value = source.data().get(INT, 4 * (from[row] + skip));
        target.set(INT, 4 * ((long) row * inputs + input), value);
      }
    }
  }

  /** From a byte for each value. */
  private void convert(long first, int count, MemorySegment target) {
    long[] from = indexes(first, count);
    float[] value = new float[1];
    for (int input = 0; input < inputs; input++) {
      for (int row = 0; row < count; row++) {
        long index = from[row] + input * source.columns();
        Dequantizer.dequantize(source.type(), source.data(), index, value, 0, 1);
        long output = firstOutput + (first + row) % outputs;
        long expert = (first + row) / outputs;
        float scale =
            scales == null ? 1 : scales[Math.toIntExact(expert * source.columns() + output)];
        ScaledWeights.putBf16(target, (long) row * inputs + input, value[0] * scale);
      }
    }
  }

  private long[] indexes(long first, int count) {
    long[] indexes = new long[count];
    for (int row = 0; row < count; row++) indexes[row] = index(first + row);
    return indexes;
  }
}
