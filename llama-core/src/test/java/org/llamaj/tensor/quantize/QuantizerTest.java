package org.llamaj.tensor.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.encoding.Dequantizer;

class QuantizerTest {
  private static final float[] NONE = {};

  static Stream<ElementType> blockTypes() {
    return Stream.of(ElementType.values())
        .filter(type -> Quantizer.supports(type) && type.isQuantised());
  }

  /**
   * Codes that are read back are the nearest that the scales allow: encoding again changes none.
   */
  @ParameterizedTest
  @MethodSource("blockTypes")
  void valuesOfTheFormatStayWhatTheyAre(ElementType type) {
    float[] values = random(4 * 256, 1);
    float[] once = QuantizerQualityTest.roundTrip(type, values, 256, NONE);
    float[] twice = QuantizerQualityTest.roundTrip(type, once, 256, NONE);
    double change = QuantizerQualityTest.rmse(once, twice, 0, once.length);
    double error = QuantizerQualityTest.rmse(values, once, 0, once.length);
    assertThat(change).isLessThan(0.25 * error);
  }

  /** A block's result does not depend on what is encoded beside it. */
  @ParameterizedTest
  @MethodSource("blockTypes")
  void blocksAreIndependent(ElementType type) throws IOException {
    float[] source = QuantizerQualityTest.source();
    float[] all = QuantizerQualityTest.roundTrip(type, source, 512, NONE);
    for (int from = 0; from < source.length; from += 256) {
      float[] one = Arrays.copyOfRange(source, from, from + 256);
      assertThat(QuantizerQualityTest.roundTrip(type, one, 256, NONE))
          .isEqualTo(Arrays.copyOfRange(all, from, from + 256));
    }
  }

  /** More values than are encoded at a time, so that the last go has another size. */
  @ParameterizedTest
  @MethodSource("blockTypes")
  void longTensorsAreEncodedToTheirEnd(ElementType type) {
    float[] values = random(2 * BlockEncoder.TILE + 3 * 256, 2);
    float[] found = QuantizerQualityTest.roundTrip(type, values, 256, NONE);
    for (int from = 0; from < values.length; from += 256) {
      double error = QuantizerQualityTest.rmse(values, found, from, 256);
      assertThat(error).as("values from %d on", from).isLessThan(0.4);
    }
  }

  @ParameterizedTest
  @MethodSource("blockTypes")
  void importantColumnsHaveSmallerErrors(ElementType type) {
    int columns = 512;
    float[] values = random(16 * columns, 3);
    float[] importance = new float[columns];
    for (int i = 0; i < columns; i++) importance[i] = i % 4 == 1 ? 100 : 1;
    double plain = error(values, QuantizerQualityTest.roundTrip(type, values, columns, NONE));
    double weighted =
        error(values, QuantizerQualityTest.roundTrip(type, values, columns, importance));
    assertThat(weighted).isLessThan(plain);
  }

  private static double error(float[] values, float[] found) {
    double sum = 0;
    for (int i = 1; i < values.length; i += 4) sum += Math.pow(values[i] - found[i], 2);
    return sum;
  }

  @ParameterizedTest
  @MethodSource("blockTypes")
  void importanceOfZeroIsNoHarm(ElementType type) {
    float[] values = random(512, 4);
    float[] found = QuantizerQualityTest.roundTrip(type, values, 256, new float[256]);
    assertThat(QuantizerQualityTest.rmse(values, found, 0, 512)).isLessThan(0.4);
  }

  @ParameterizedTest
  @MethodSource("blockTypes")
  void extremeMagnitudesStayFinite(ElementType type) {
    for (float magnitude : new float[] {0, Float.MIN_VALUE, 1e-30f, 1e-9f, 6e-6f, 1e-3f, 60000f}) {
      float[] values = random(256, 5);
      for (int i = 0; i < values.length; i++) values[i] *= magnitude / 4;
      values[17] = -magnitude;
      float[] found = QuantizerQualityTest.roundTrip(type, values, 256, NONE);
      for (int i = 0; i < values.length; i++) {
        assertThat(Math.abs(found[i] - values[i]))
            .as("%s of %s", found[i], values[i])
            .isLessThanOrEqualTo(0.5f * magnitude + 1e-5f);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      mode = Mode.INCLUDE,
      names = {"F16", "Q4_0", "Q4_K", "Q6_K", "IQ4_XS", "Q5_1"})
  void whatCannotBeWrittenIsRefused(ElementType type) {
    float[] values = new float[512];
    values[300] = Float.NaN;
    assertThatThrownBy(() -> QuantizerQualityTest.roundTrip(type, values, 256, NONE))
        .isInstanceOf(LlamaException.class)
        .hasMessage("expected finite values, found NaN in row 1, column 44");
    values[300] = 1e30f;
    assertThatThrownBy(() -> QuantizerQualityTest.roundTrip(type, values, 256, NONE))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("F32 or BF16");
  }

  @Test
  void typesThatAreOnlyReadAreNamed() {
    assertThatThrownBy(() -> Quantizer.of(ElementType.IQ2_XXS))
        .isInstanceOf(LlamaException.class)
        .hasMessageStartingWith("IQ2_XXS can be read but not written; choose one of [F32, F16");
  }

  @Test
  void halvesAreRoundedToTheNearestEven() {
    float[] values = {1 + 0x1p-9f, 1 + 3 * 0x1p-9f, -65519, 0x1p-25f, 1 + 0x1p-8f, 1};
    MemorySegment out = MemorySegment.ofArray(new byte[12]);
    float[] back = new float[6];
    Quantizer.of(ElementType.F16).quantize(values, 6, 1, NONE, out, 0);
    Dequantizer.dequantize(ElementType.F16, out, 0, back, 0, 6);
    assertThat(back).containsExactly(values[0], values[1], -65504, 0, values[4], 1);
    Quantizer.of(ElementType.BF16).quantize(values, 6, 1, NONE, out, 0);
    Dequantizer.dequantize(ElementType.BF16, out, 0, back, 0, 6);
    assertThat(back).containsExactly(1, 1 + 0x1p-7f, -65536, 0x1p-25f, 1, 1);
  }

  private static float[] random(int count, int seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) values[i] = (float) random.nextGaussian();
    return values;
  }
}
