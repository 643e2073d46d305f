package org.llamaj.kernel.scalar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;

class QuantizedPagesTest {

  /** Every place of a page holds what was stored there, to half a step of its block. */
  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q4_0"})
  void whatIsStoredIsLoaded(CacheType type) {
    AttentionShape shape = new AttentionShape(0, 6, 3, 96, 1, 0, type);
    MemorySegment page = Arena.ofAuto().allocate(shape.pageBytes(), 64);
    QuantizedPages pages = new QuantizedPages(shape);
    Random random = new Random(4);
    int slots = AttentionShape.PAGE_TOKENS;
    float[][][] keys = new float[3][slots][96];
    float[][][] values = new float[3][slots][96];
    for (int head = 0; head < 3; head++) {
      for (int slot = 0; slot < slots; slot++) {
        for (int d = 0; d < 96; d++) {
          keys[head][slot][d] = (float) random.nextGaussian();
          values[head][slot][d] = (float) (1e3 * random.nextGaussian());
        }
        pages.storeKey(page, head, slot, keys[head][slot]);
        pages.storeValue(page, head, slot, values[head][slot]);
      }
    }
    float[] components = new float[slots];
    float[] value = new float[96];
    for (int head = 0; head < 3; head++) {
      for (int d = 0; d < 96; d++) {
        pages.loadKeys(page, head, d, 3, components, slots - 3);
        for (int slot = 3; slot < slots; slot++) {
          assertClose(components[slot - 3], keys[head][slot], d, type);
        }
      }
      for (int slot = 0; slot < slots; slot++) {
        pages.loadValue(page, head, slot, value);
        for (int d = 0; d < 96; d++) {
          assertClose(value[d], values[head][slot], d, type);
        }
      }
    }
  }

  /** Q4_0 has no +8: what should be there is a whole step off. */
  private static void assertClose(float found, float[] stored, int d, CacheType type) {
    float greatest = 0;
    for (int i = d / 32 * 32; i < d / 32 * 32 + 32; i++) {
      greatest = Math.max(greatest, Math.abs(stored[i]));
    }
    float error = type == CacheType.Q8_0 ? greatest / 127 * 0.57f : greatest / 8 * 1.01f;
    assertThat(found).isCloseTo(stored[d], within(error));
  }

  @Test
  void zeroStaysZeroAndNotANumberIsNotHidden() {
    AttentionShape shape = new AttentionShape(0, 1, 1, 32, 1, 0, CacheType.Q8_0);
    MemorySegment page = Arena.ofAuto().allocate(shape.pageBytes(), 64);
    QuantizedPages pages = new QuantizedPages(shape);
    float[] value = new float[32];
    float[] found = new float[32];
    pages.storeValue(page, 0, 5, value);
    pages.loadValue(page, 0, 5, found);
    assertThat(found).containsOnly(0f);
    value[7] = Float.NaN;
    pages.storeValue(page, 0, 5, value);
    pages.loadValue(page, 0, 5, found);
    assertThat(found).containsOnly(Float.NaN);
  }

  @Test
  void refusesHeadsThatAreNoWholeBlocks() {
    AttentionShape shape = new AttentionShape(0, 1, 1, 48, 1, 0, CacheType.Q4_0);
    assertThatThrownBy(() -> new QuantizedPage(shape)).isInstanceOf(IllegalArgumentException.class);
  }
}
