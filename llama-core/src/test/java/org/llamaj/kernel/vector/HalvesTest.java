package org.llamaj.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.incubator.vector.ShortVector;
import org.junit.jupiter.api.Test;

class HalvesTest {

  @Test
  void everyFiniteHalfIsExact() {
    for (int magnitude = 0; magnitude < 0x7C00; magnitude++) {
      check((short) magnitude);
      check((short) (magnitude | 0x8000));
    }
  }

  /** Other lanes hold other values, subnormal ones among them. */
  private static void check(short half) {
    short[] halves = new short[Lanes.LANES];
    float[] expected = new float[Lanes.LANES];
    for (int lane = 0; lane < Lanes.LANES; lane++) {
      halves[lane] = (short) (lane % 3 == 1 ? 37 * lane : half);
      expected[lane] = Float.float16ToFloat(halves[lane]);
    }
    float[] floats = Halves.floats(ShortVector.fromArray(Lanes.S, halves, 0)).toArray();
    // Bits, so that a negative zero counts.
    assertThat(floats).usingComparator(HalvesTest::compareBits).isEqualTo(expected);
  }

  private static int compareBits(float[] a, float[] b) {
    for (int i = 0; i < a.length; i++) {
      if (Float.floatToRawIntBits(a[i]) != Float.floatToRawIntBits(b[i])) {
        return 1;
      }
    }
    return a.length == b.length ? 0 : 1;
  }
}
