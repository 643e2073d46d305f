package org.llamaj.kernel.x86.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.LDTILECFG;
import static org.llamaj.kernel.x86.assembler.Instruction.TDPBF16PS;
import static org.llamaj.kernel.x86.assembler.Instruction.TILELOADD;
import static org.llamaj.kernel.x86.assembler.Instruction.TILERELEASE;
import static org.llamaj.kernel.x86.assembler.Instruction.TILESTORED;
import static org.llamaj.kernel.x86.assembler.Instruction.TILEZERO;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTNE2PS2BF16;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Tile;
import org.llamaj.kernel.x86.assembler.Vector;

/** The emulator does what the manual says, and notices what hardware refuses. */
class EmulatorTest {
  private final Arena arena = Arena.ofAuto();

  @BeforeEach
  void needed() {
    Emulator.assumeNeeded();
  }

  private static void run(Assembler a, MemorySegment... arguments) {
    a.ret();
    long[] addresses = new long[6];
    for (int i = 0; i < arguments.length; i++) {
      addresses[i] = arguments[i].address();
    }
    try (MachineCode code = new MachineCode(a.code())) {
      code.call(addresses[0], addresses[1], addresses[2], addresses[3], 0, 0);
    }
  }

  /** Tiles 0 (sums), 1 and 2, each with rows and bytes of a row. */
  private MemorySegment configuration(int... rowsAndBytes) {
    MemorySegment bytes = arena.allocate(64, 64);
    bytes.set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
    for (int i = 0; i < rowsAndBytes.length / 2; i++) {
      bytes.set(ValueLayout.JAVA_BYTE, 48 + i, (byte) rowsAndBytes[2 * i]);
      bytes.set(ValueLayout.JAVA_SHORT, 16 + 2 * i, (short) rowsAndBytes[2 * i + 1]);
    }
    return bytes;
  }

  private static Assembler product() {
    Assembler a = new Assembler();
    a.mov(Gpr.RAX, 64);
    a.v(LDTILECFG, at(Gpr.RDI));
    a.v(TILEZERO, Tile.tmm(0));
    a.v(TILELOADD, Tile.tmm(1), at(Gpr.RSI, Gpr.RAX, 1, 0));
    a.v(TILELOADD, Tile.tmm(2), at(Gpr.RDX, Gpr.RAX, 1, 0));
    a.v(TDPBF16PS, Tile.tmm(0), Tile.tmm(1), Tile.tmm(2));
    a.v(TILESTORED, at(Gpr.RCX, Gpr.RAX, 1, 0), Tile.tmm(0));
    a.v(TILERELEASE);
    return a;
  }

  @Test
  void multipliesTiles() {
    int rows = 5;
    int pairs = 7;
    int columns = 3;
    SplittableRandom random = new SplittableRandom(1);
    float[][] left = new float[rows][2 * pairs];
    float[][] right = new float[2 * pairs][columns];
    MemorySegment a = arena.allocate(1024, 64);
    MemorySegment b = arena.allocate(1024, 64);
    for (int k = 0; k < 2 * pairs; k++) {
      for (int row = 0; row < rows; row++) {
        left[row][k] = bfloat16(random, a, 64L * row + 2L * k);
      }
      for (int column = 0; column < columns; column++) {
        right[k][column] = bfloat16(random, b, 64L * (k / 2) + 4L * column + 2L * (k % 2));
      }
    }
    MemorySegment sums = arena.allocate(1024, 64);

    run(
        product(),
        configuration(rows, 4 * columns, rows, 4 * pairs, pairs, 4 * columns),
        a,
        b,
        sums);

    for (int row = 0; row < 16; row++) {
      for (int column = 0; column < 16; column++) {
        double expected = 0;
        for (int k = 0; k < 2 * pairs && row < rows && column < columns; k++) {
          expected += (double) left[row][k] * right[k][column];
        }
        assertThat((double) sums.get(ValueLayout.JAVA_FLOAT, 64L * row + 4L * column))
            .as("[%d][%d]", row, column)
            .isCloseTo(expected, within(1e-5));
      }
    }
    assertThat(Emulator.takeFault()).isEmpty();
    Emulator.check();
  }

  private static float bfloat16(SplittableRandom random, MemorySegment to, long place) {
    int bits = Float.floatToRawIntBits((float) random.nextDouble(-4, 4)) >>> 16;
    to.set(ValueLayout.JAVA_SHORT, place, (short) bits);
    return Float.intBitsToFloat(bits << 16);
  }

  @Test
  void roundsToNearestEven() {
    int[] floats = {
      0x3F80_0000, 0x3F80_7FFF, 0x3F80_8000, 0x3F81_8000, 0x3F80_8001, 0xBF80_C000,
      0x7F80_0000, 0x7F7F_FFFF, 0x7F80_0001, 0x0040_0000, 0x8000_0001, 0x0080_0000
    };
    int[] expected = {
      0x3F80, 0x3F80, 0x3F80, 0x3F82, 0x3F81, 0xBF81, 0x7F80, 0x7F80, 0x7FC0, 0, 0x8000, 0x0080
    };
    MemorySegment from = arena.allocate(128, 64);
    MemorySegment to = arena.allocate(64, 64);
    MemorySegment.copy(floats, 0, from, ValueLayout.JAVA_INT, 64, floats.length);
    Assembler a = new Assembler();
    a.v(VMOVUPS, Vector.zmm(30), at(Gpr.RDI, 64));
    a.v(VCVTNE2PS2BF16, Vector.zmm(5), Vector.zmm(30), at(Gpr.RDI));
    a.v(VMOVUPS, at(Gpr.RSI), Vector.zmm(5));
    a.vzeroupper();

    run(a, from, to);

    for (int i = 0; i < floats.length; i++) {
      assertThat(to.get(ValueLayout.JAVA_SHORT, 32 + 2L * i) & 0xFFFF)
          .as(Integer.toHexString(floats[i]))
          .isEqualTo(expected[i]);
    }
  }

  @Test
  void noticesShapesThatDoNotFit() {
    MemorySegment memory = arena.allocate(1024, 64);

    run(product(), configuration(5, 12, 5, 28, 6, 12), memory, memory, memory);

    assertThat(Emulator.takeFault()).contains("TDPBF16PS: shapes (28, 6)");
  }

  @Test
  void noticesTilesThatAreNotConfigured() {
    Assembler a = new Assembler();
    a.v(TILEZERO, Tile.tmm(3));

    run(a);

    assertThat(Emulator.takeFault()).contains("tile not configured (3, 0)");
  }

  @Test
  void noticesTilesLeftInUse() {
    Assembler a = new Assembler();
    a.v(LDTILECFG, at(Gpr.RDI));
    run(a, configuration(16, 64));

    assertThatThrownBy(Emulator::check).hasMessageContaining("threads with tiles in use");

    Assembler end = new Assembler();
    end.v(TILERELEASE);
    run(end);
    Emulator.check();
  }
}
