package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPAND;
import static org.llamaj.kernel.x86.assembler.Instruction.VPANDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVZXBD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPOR;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSHUFD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLVD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHQDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKLDQ;
import static org.llamaj.kernel.x86.format.BlockReader.MINIMA;
import static org.llamaj.kernel.x86.format.BlockReader.SCALES;
import static org.llamaj.kernel.x86.format.BlockReader.T0;
import static org.llamaj.kernel.x86.format.BlockReader.T1;
import static org.llamaj.kernel.x86.format.BlockReader.T2;
import static org.llamaj.kernel.x86.format.BlockReader.constant;
import static org.llamaj.kernel.x86.format.BlockReader.wideConstant;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Q4_K: scale and minimum in half precision, 12 bytes with eight 6-bit sub-scales and eight 6-bit
 * sub-minima, 128 bytes of nibbles (low nibbles of 32 bytes, then their high nibbles). Q5_K has 32
 * bytes of fifth bits before the nibbles: bit s of byte i belongs to value i of sub-block s.
 *
 * @param fiveBits whether this is Q5_K
 */
record FourBitSuperBlock(boolean fiveBits) implements BlockFormat {
  private static final int PACKED_SCALES = 4;
  private static final int FIFTH_BITS = 16;

  @Override
  public int blockValues() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return fiveBits ? 176 : 144;
  }

  @Override
  public int scaleValues() {
    return 32;
  }

  @Override
  public boolean hasMinima() {
    return true;
  }

  @Override
  public float unit() {
    return 1;
  }

  @Override
  public void constants(BlockReader r) {
    r.load(0, r.kernel.bytes32(0x0F));
    r.load(1, r.kernel.bytes32(0x3F));
    r.load(2, r.kernel.bytes32(0x30));
    r.load(3, r.kernel.bytes32(0x10));
  }

  /**
   * 8 sub-scales and 8 sub-minima as bytes into T0. The 12 bytes are three words: sub-scales 0-3
   * and sub-minima 0-3 in the low 6 bits of the first two; of the others, the low 4 bits in the
   * third (nibbles) and the high 2 bits above the first two words' 6.
   */
  private static void unpackScales(BlockReader r) {
    r.a.v(VMOVUPS, T0.x(), r.at(PACKED_SCALES));
    r.a.vi(VPSHUFD, 0b10_10_10_10, T1.x(), T0.x());
    r.a.v(VPSRLVD, T1.x(), T1.x(), nibbleShifts(r));
    r.a.v(VPAND, T1.x(), T1.x(), constant(0).x());
    r.a.vi(VPSRLW, 2, T2.x(), T0.x());
    r.a.v(VPAND, T2.x(), T2.x(), constant(2).x());
    r.a.v(VPOR, T1.x(), T1.x(), T2.x());
    r.a.v(VPAND, T0.x(), T0.x(), constant(1).x());
    r.a.v(VPUNPCKLDQ, T0.x(), T0.x(), T1.x());
  }

  @Override
  public void scales(BlockReader r) {
    unpackScales(r);
    r.a.v(VPMOVZXBD, SCALES[0], T0.x());
    r.a.v(VPUNPCKHQDQ, T0.x(), T0.x(), T0.x());
    r.a.v(VPMOVZXBD, MINIMA[0], T0.x());
    r.a.v(VCVTDQ2PS, SCALES[0], SCALES[0]);
    r.a.v(VCVTDQ2PS, MINIMA[0], MINIMA[0]);
    r.half(0, T1);
    r.half(2, T2);
    r.a.v(VMULPS, SCALES[0], SCALES[0], T1);
    r.a.v(VMULPS, MINIMA[0], MINIMA[0], T2);
  }

  private static Address nibbleShifts(BlockReader r) {
    return r.kernel.ints(0, 4, 0, 4);
  }

  @Override
  public void values(BlockReader r, int sub, Vector to) {
    Address nibbles = r.at((fiveBits ? FIFTH_BITS + 32 : FIFTH_BITS) + 32 * (sub / 2));
    if (sub % 2 == 0) {
      r.a.v(VPAND, to, constant(0), nibbles);
    } else {
      r.a.v(VMOVUPS, to, nibbles);
      r.a.vi(VPSRLW, 4, to, to);
      r.a.v(VPAND, to, to, constant(0));
    }
    if (fiveBits) {
      r.a.v(VMOVUPS, T0, r.at(FIFTH_BITS));
      if (sub < 4) {
        r.a.vi(VPSLLW, 4 - sub, T0, T0);
      } else if (sub > 4) {
        r.a.vi(VPSRLW, sub - 4, T0, T0);
      }
      r.a.v(VPAND, T0, T0, constant(3));
      r.a.v(VPOR, to, to, T0);
    }
  }

  @Override
  public void wideConstants(BlockReader r) {
    r.loadWide(0, 0x0F0F, 0x0F0F, 0xF0F0, 0xF0F0);
    r.a.v(VMOVUPS, wideConstant(2), r.kernel.ints(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  }

  @Override
  public void recordScales(BlockReader r, int values) {
    laneScales(r, values);
    r.a.vi(VEXTRACTI64X4, 1, MINIMA[0], SCALES[0].z());
  }

  /** Scales and minima go the same way, in the halves of a register. */
  @Override
  public void laneScales(BlockReader r, int values) {
    Vector both = SCALES[0].z();
    unpackScales(r);
    r.a.v(VPMOVZXBD, both, T0.x());
    r.a.v(VCVTDQ2PS, both, both);
    r.a.v(VCVTPH2PS, T1.x(), r.at(0));
    r.a.v(VPERMPS, T1.z(), wideConstant(2), T1.z());
    r.a.v(VMULPS, both, both, T1.z());
  }

  /** High nibbles stay where they are. */
  @Override
  public int upperFactor() {
    return fiveBits ? 1 : 16;
  }

  @Override
  public void wideValues(BlockReader r, int pair, Vector to) {
    if (fiveBits) {
      BlockFormat.super.wideValues(r, pair, to);
      return;
    }
    r.a.v(VBROADCASTI64X4, to, r.at(FIFTH_BITS + 32 * pair));
    r.a.v(VPANDD, to, to, wideConstant(0));
  }

  @Override
  public int directBlocks() {
    return fiveBits ? 0 : 8;
  }

  @Override
  public void directConstants(PanelRows rows) {
    rows.load(0, 0x0F);
  }

  @Override
  public void directValues(PanelRows rows) {
    for (int block = 0; block < 8; block += 2) {
      for (int half = 0; half < 2; half++) {
        Vector[] turned = rows.turn(FIFTH_BITS + 16 * (block + half), 16);
        SmallBlock.directNibbles(rows, turned, block, 4 * half, block + 1, 4 * half);
      }
    }
  }
}
