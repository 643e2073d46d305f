package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTI32X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VINSERTI128;
import static org.llamaj.kernel.x86.assembler.Instruction.VINSERTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPAND;
import static org.llamaj.kernel.x86.assembler.Instruction.VPANDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPCMPEQB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPOR;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSHUFB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLVW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLVW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPXOR;
import static org.llamaj.kernel.x86.assembler.Instruction.VPXORD;
import static org.llamaj.kernel.x86.format.BlockReader.MINIMA;
import static org.llamaj.kernel.x86.format.BlockReader.SCALES;
import static org.llamaj.kernel.x86.format.BlockReader.T0;
import static org.llamaj.kernel.x86.format.BlockReader.constant;
import static org.llamaj.kernel.x86.format.BlockReader.wideConstant;

import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Types with one half-precision scale for 32 values. Where a byte holds two values, the low nibbles
 * are the first 16 and the high nibbles the others.
 */
enum SmallBlock implements BlockFormat {
  /** scale, 32 signed bytes. */
  Q8_0(34, false, 1) {
    @Override
    public void constants(BlockReader r) {
      r.load(0, r.kernel.bytes32(0x80));
    }

    @Override
    public void values(BlockReader r, int sub, Vector to) {
      r.a.v(VPXOR, to, constant(0), r.at(34 * sub + 2));
    }

    @Override
    public void wideConstants(BlockReader r) {
      r.loadWide(0, 0x80);
    }

    @Override
    public void wideValues(BlockReader r, int pair, Vector to) {
      r.a.v(VMOVUPS, to.y(), r.at(68 * pair + 2));
      r.a.vi(VINSERTI64X4, 1, to, to, r.at(68 * pair + 36));
      r.a.v(VPXORD, to, to, wideConstant(0));
    }

    @Override
    public int directBlocks() {
      return 1;
    }

    @Override
    public void directConstants(PanelRows rows) {
      rows.load(0, 0x80);
    }

    @Override
    public void directValues(PanelRows rows) {
      for (int half = 0; half < 2; half++) {
        Vector[] turned = rows.turn(2 + 16 * half, 16 + 8 * half);
        for (int i = 0; i < 4; i++) {
          rows.a.v(VPXORD, turned[i], turned[i], PanelRows.constant(0));
          rows.put(0, 4 * half + i, turned[i]);
        }
      }
    }
  },

  /** scale, nibbles whose zero is 8. */
  Q4_0(18, false, 1f / 16) {
    @Override
    public void constants(BlockReader r) {
      r.load(0, r.kernel.bytes32(0xF0));
    }

    @Override
    public void values(BlockReader r, int sub, Vector to) {
      r.a.v(VMOVUPS, to.x(), r.at(18 * sub + 2));
      r.a.vi(VPSLLW, 4, to.x(), to.x());
      r.a.vi(VINSERTI128, 1, to, to, r.at(18 * sub + 2));
      r.a.v(VPAND, to, to, constant(0));
    }

    @Override
    public void wideConstants(BlockReader r) {
      r.loadWide(0, 0xF0);
      r.loadWide(1, 4, 0, 4, 0);
    }

    @Override
    public void wideValues(BlockReader r, int pair, Vector to) {
      r.twice(36 * pair + 2, 36 * pair + 20, to);
      r.a.v(VPSLLVW, to, to, wideConstant(1));
      r.a.v(VPANDD, to, to, wideConstant(0));
    }

    @Override
    public int directBlocks() {
      return 1;
    }

    @Override
    public void directConstants(PanelRows rows) {
      rows.load(0, 0xF0);
    }

    @Override
    public void directValues(PanelRows rows) {
      Vector[] turned = rows.turn(2, 16);
      for (int i = 0; i < 4; i++) {
        Vector low = Vector.zmm(24 + i);
        rows.a.vi(VPSLLW, 4, low, turned[i]);
        rows.a.v(VPANDD, low, low, PanelRows.constant(0));
        rows.put(0, i, low);
        rows.a.v(VPANDD, turned[i], turned[i], PanelRows.constant(0));
        rows.put(0, 4 + i, turned[i]);
      }
    }
  },

  /** scale, minimum, nibbles. */
  Q4_1(20, true, 1) {
    @Override
    public void constants(BlockReader r) {
      r.load(0, r.kernel.bytes32(0x0F));
    }

    @Override
    public void values(BlockReader r, int sub, Vector to) {
      nibbles(r, 20 * sub + 4, to);
    }

    @Override
    public void wideConstants(BlockReader r) {
      wideNibbleConstants(r);
    }

    @Override
    public void wideValues(BlockReader r, int pair, Vector to) {
      wideNibbles(r, 40 * pair + 4, 40 * pair + 24, to);
    }

    @Override
    public int directBlocks() {
      return 1;
    }

    @Override
    public void directConstants(PanelRows rows) {
      rows.load(0, 0x0F);
    }

    @Override
    public void directValues(PanelRows rows) {
      directNibbles(rows, rows.turn(4, 16), 0, 0, 0, 4);
    }
  },

  /** scale, 32 fifth bits, nibbles; zero is 16. */
  Q5_0(22, false, 1f / 8) {
    @Override
    public void constants(BlockReader r) {
      r.load(0, r.kernel.bytes32(0x78));
      fifthBitConstants(r, 0x80);
    }

    @Override
    public void values(BlockReader r, int sub, Vector to) {
      r.a.v(VMOVUPS, T0.x(), r.at(22 * sub + 6));
      r.a.vi(VPSLLW, 3, to.x(), T0.x());
      r.a.vi(VPSRLW, 1, T0.x(), T0.x());
      r.a.vi(VINSERTI128, 1, to, to, T0.x());
      r.a.v(VPAND, to, to, constant(0));
      addFifthBits(r, 22 * sub + 2, to);
    }
  },

  /** scale, minimum, 32 fifth bits, nibbles. */
  Q5_1(24, true, 1) {
    @Override
    public void constants(BlockReader r) {
      r.load(0, r.kernel.bytes32(0x0F));
      fifthBitConstants(r, 0x10);
    }

    @Override
    public void values(BlockReader r, int sub, Vector to) {
      nibbles(r, 24 * sub + 8, to);
      addFifthBits(r, 24 * sub + 4, to);
    }
  },

  /** scale, nibbles that choose one of 16 levels. */
  IQ4_NL(18, false, 1) {
    @Override
    public void constants(BlockReader r) {
      r.load(0, r.kernel.bytes32(0x0F));
      r.load(1, r.kernel.bytes32(LEVELS));
    }

    @Override
    public void values(BlockReader r, int sub, Vector to) {
      nibbles(r, 18 * sub + 2, to);
      r.a.v(VPSHUFB, to, constant(1), to);
    }

    @Override
    public void wideConstants(BlockReader r) {
      wideLevelConstants(r);
    }

    @Override
    public void wideValues(BlockReader r, int pair, Vector to) {
      wideNibbles(r, 36 * pair + 2, 36 * pair + 20, to);
      r.a.v(VPSHUFB, to, wideConstant(2), to);
    }

    @Override
    public int directBlocks() {
      return 1;
    }

    @Override
    public void directConstants(PanelRows rows) {
      directLevelConstants(rows);
    }

    @Override
    public void directValues(PanelRows rows) {
      directLevels(rows, 2, 0);
    }
  };

  /** The levels of the non-linear 4-bit types, plus 128. */
  static final byte[] LEVELS = {
    1, 24, 45, 63, 79, 93, 106, 118, -127, -115, -103, -90, -75, -59, -39, -15
  };

  private final int blockBytes;
  private final boolean hasMinima;
  private final float unit;

  SmallBlock(int blockBytes, boolean hasMinima, float unit) {
    this.blockBytes = blockBytes;
    this.hasMinima = hasMinima;
    this.unit = unit;
  }

  /** 16 bytes of nibbles as 32 bytes; constant 0 is the nibble mask. */
  static void nibbles(BlockReader r, int bytes, Vector to) {
    r.a.v(VMOVUPS, to.x(), r.at(bytes));
    r.a.vi(VPSRLW, 4, T0.x(), to.x());
    r.a.vi(VINSERTI128, 1, to, to, T0.x());
    r.a.v(VPAND, to, to, constant(0));
  }

  /** The same for 32 bytes from two places. */
  static void wideNibbles(BlockReader r, int first, int second, Vector to) {
    r.twice(first, second, to);
    r.a.v(VPSRLVW, to, to, wideConstant(1));
    r.a.v(VPANDD, to, to, wideConstant(0));
  }

  /** For {@link #wideNibbles}. */
  static void wideNibbleConstants(BlockReader r) {
    r.loadWide(0, 0x0F);
    r.loadWide(1, 0, 4, 0, 4);
  }

  /** For {@link #wideNibbles}; and {@link #LEVELS} for each 16 values. */
  static void wideLevelConstants(BlockReader r) {
    wideNibbleConstants(r);
    r.a.v(VBROADCASTI32X4, wideConstant(2), r.kernel.bytes32(LEVELS));
  }

  /**
   * The low nibbles of 16 bytes of each row as four registers of a panel's block, the high ones as
   * four others; constant 0 is the nibble mask.
   */
  static void directNibbles(
      PanelRows rows, Vector[] turned, int lowBlock, int lowFour, int highBlock, int highFour) {
    for (int i = 0; i < 4; i++) {
      Vector low = Vector.zmm(24 + i);
      rows.a.v(VPANDD, low, turned[i], PanelRows.constant(0));
      rows.put(lowBlock, lowFour + i, low);
      rows.a.vi(VPSRLW, 4, turned[i], turned[i]);
      rows.a.v(VPANDD, turned[i], turned[i], PanelRows.constant(0));
      rows.put(highBlock, highFour + i, turned[i]);
    }
  }

  /** For {@link #directLevels}. */
  static void directLevelConstants(PanelRows rows) {
    rows.load(0, 0x0F);
    rows.load(1, LEVELS);
  }

  /** 32 values of each row, from 16 bytes of nibbles that choose one of {@link #LEVELS}. */
  static void directLevels(PanelRows rows, int bytes, int block) {
    Vector[] turned = rows.turn(bytes, 16);
    for (int i = 0; i < 4; i++) {
      Vector low = Vector.zmm(24 + i);
      rows.a.v(VPANDD, low, turned[i], PanelRows.constant(0));
      rows.a.v(VPSHUFB, low, PanelRows.constant(1), low);
      rows.put(block, i, low);
      rows.a.vi(VPSRLW, 4, turned[i], turned[i]);
      rows.a.v(VPANDD, turned[i], turned[i], PanelRows.constant(0));
      rows.a.v(VPSHUFB, turned[i], PanelRows.constant(1), turned[i]);
      rows.put(block, 4 + i, turned[i]);
    }
  }

  private static void fifthBitConstants(BlockReader r, int value) {
    byte[] byteOfBit = new byte[32];
    byte[] bit = new byte[32];
    for (int i = 0; i < 32; i++) {
      byteOfBit[i] = (byte) (i / 8);
      bit[i] = (byte) (1 << i % 8);
    }
    r.load(1, r.kernel.bytes32(byteOfBit));
    r.load(2, r.kernel.bytes32(bit));
    r.load(3, r.kernel.bytes32(value));
  }

  /** Spreads 32 bits to 32 bytes and adds their value, constant 3, where they are set. */
  private static void addFifthBits(BlockReader r, int bytes, Vector to) {
    r.a.v(VPBROADCASTD, T0, r.at(bytes));
    r.a.v(VPSHUFB, T0, T0, constant(1));
    r.a.v(VPAND, T0, T0, constant(2));
    r.a.v(VPCMPEQB, T0, T0, constant(2));
    r.a.v(VPAND, T0, T0, constant(3));
    r.a.v(VPOR, to, to, T0);
  }

  @Override
  public int blockValues() {
    return 32;
  }

  @Override
  public int blockBytes() {
    return blockBytes;
  }

  @Override
  public int scaleValues() {
    return 32;
  }

  @Override
  public boolean hasMinima() {
    return hasMinima;
  }

  @Override
  public float unit() {
    return unit;
  }

  @Override
  public void scales(BlockReader reader) {
    throw new UnsupportedOperationException("small blocks have a single scale");
  }

  @Override
  public void recordScales(BlockReader r, int values) {
    r.halves(0, blockBytes, values / 32, SCALES[0]);
    if (hasMinima) {
      r.halves(2, blockBytes, values / 32, MINIMA[0]);
    }
  }
}
