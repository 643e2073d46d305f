package org.llamaj.kernel.x86.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is concluded from CPUID and XGETBV, on words of known processors. */
class ProcessorTest {
  private static final int FMA_F16C_OSXSAVE = 0x7FFEFBFF;
  private static final int AVX2_ONLY = 0x239C27EB;
  private static final int AVX512_FULL = 0xF1BF07AB;
  private static final int VNNI_IN_ECX = 1 << 11;
  private static final int AMX_INT8_TILE_BF16 = 1 << 25 | 1 << 24 | 1 << 22;
  private static final int SAVES_YMM = 0x7;
  private static final int SAVES_ZMM = 0xE7;
  private static final int SAVES_TILES = 0x602E7;

  private static Set<Feature> features(int ebx, int ecx, int edx, int eaxMore, int state) {
    return Processor.features(
        new Processor.Answers(
            new int[] {0, 0, FMA_F16C_OSXSAVE, 0},
            new int[] {1, ebx, ecx, edx},
            new int[] {eaxMore, 0, 0, 0},
            state));
  }

  @Test
  void desktop() {
    assertThat(features(AVX2_ONLY, 0, 0, 0, SAVES_YMM)).containsOnly(Feature.AVX2);
    assertThat(features(AVX2_ONLY, 0, 0, 1 << 4, SAVES_YMM))
        .containsOnly(Feature.AVX2, Feature.AVX_VNNI);
  }

  @Test
  void serversWithAvx512() {
    assertThat(features(AVX512_FULL, 0, 0, 0, SAVES_ZMM))
        .containsOnly(Feature.AVX2, Feature.AVX512);
    assertThat(features(AVX512_FULL, VNNI_IN_ECX, 0, 1 << 5, SAVES_ZMM))
        .containsOnly(Feature.AVX2, Feature.AVX512, Feature.AVX512_VNNI, Feature.AVX512_BF16);
  }

  @Test
  void serverWithAmx() {
    int more = 1 << 4 | 1 << 5;
    assertThat(features(AVX512_FULL, VNNI_IN_ECX, AMX_INT8_TILE_BF16, more, SAVES_TILES))
        .isEqualTo(EnumSet.allOf(Feature.class));
    assertThat(features(AVX512_FULL, VNNI_IN_ECX, 1 << 24 | 1 << 25, more, SAVES_TILES))
        .as("tiles without bfloat16")
        .doesNotContain(Feature.AMX_BF16);
  }

  @Test
  void whatTheSystemDoesNotSaveIsNotUsed() {
    int more = 1 << 4 | 1 << 5;
    assertThat(features(AVX512_FULL, VNNI_IN_ECX, AMX_INT8_TILE_BF16, more, SAVES_ZMM))
        .contains(Feature.AVX512_BF16)
        .doesNotContain(Feature.AMX_BF16);
    assertThat(features(AVX512_FULL, VNNI_IN_ECX, AMX_INT8_TILE_BF16, more, SAVES_YMM))
        .containsOnly(Feature.AVX2, Feature.AVX_VNNI);
    assertThat(features(AVX512_FULL, VNNI_IN_ECX, AMX_INT8_TILE_BF16, more, 0x3)).isEmpty();
  }
}
