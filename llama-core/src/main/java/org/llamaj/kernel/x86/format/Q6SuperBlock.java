package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPAND;
import static org.llamaj.kernel.x86.assembler.Instruction.VPANDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVSXBD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPOR;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLVW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPTERNLOGD;
import static org.llamaj.kernel.x86.format.BlockReader.SCALES;
import static org.llamaj.kernel.x86.format.BlockReader.T0;
import static org.llamaj.kernel.x86.format.BlockReader.T1;
import static org.llamaj.kernel.x86.format.BlockReader.constant;
import static org.llamaj.kernel.x86.format.BlockReader.wideConstant;

import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Q6_K: 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed sub-scales, scale in half
 * precision. Zero is 32; the bits are placed at the top of the byte.
 */
record Q6SuperBlock() implements BlockFormat {
  private static final int UPPER_BITS = 128;
  private static final int SUB_SCALES = 192;
  private static final int SCALE = 208;

  /** Of VPTERNLOGD: first | (second & third). */
  private static final int OR_OF_AND = 0xF8;

  @Override
  public int blockValues() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 210;
  }

  @Override
  public int scaleValues() {
    return 16;
  }

  @Override
  public boolean hasMinima() {
    return false;
  }

  @Override
  public float unit() {
    return 1f / 4;
  }

  @Override
  public void constants(BlockReader r) {
    r.load(0, r.kernel.bytes32(0x3C));
    r.load(1, r.kernel.bytes32(0xC0));
  }

  @Override
  public void scales(BlockReader r) {
    r.a.v(VMOVUPS, T0.x(), r.at(SUB_SCALES));
    r.half(SCALE, T1);
    r.floats(T0, SCALES, T1);
  }

  @Override
  public void laneScales(BlockReader r, int values) {
    r.a.v(VPMOVSXBD, SCALES[0].z(), r.at(SUB_SCALES));
    r.a.v(VCVTDQ2PS, SCALES[0].z(), SCALES[0].z());
    r.a.v(VPBROADCASTW, T1, r.at(SCALE));
    r.a.v(VCVTPH2PS, T1.z(), T1);
    r.a.v(VMULPS, SCALES[0].z(), SCALES[0].z(), T1.z());
  }

  @Override
  public void values(BlockReader r, int sub, Vector to) {
    int half = sub / 4;
    int quarter = sub % 4;
    r.a.v(VMOVUPS, to, r.at(64 * half + 32 * (quarter % 2)));
    if (quarter < 2) {
      r.a.vi(VPSLLW, 2, to, to);
    } else {
      r.a.vi(VPSRLW, 2, to, to);
    }
    r.a.v(VPAND, to, to, constant(0));
    if (quarter == 3) {
      r.a.v(VPAND, T0, constant(1), r.at(UPPER_BITS + 32 * half));
    } else {
      r.a.v(VMOVUPS, T0, r.at(UPPER_BITS + 32 * half));
      r.a.vi(VPSLLW, 6 - 2 * quarter, T0, T0);
      r.a.v(VPAND, T0, T0, constant(1));
    }
    r.a.v(VPOR, to, to, T0);
  }

  @Override
  public void wideConstants(BlockReader r) {
    r.loadWide(0, 0x3C);
    r.loadWide(1, 0xC0);
    r.loadWide(2, 6, 6, 4, 4);
    r.loadWide(3, 2, 2, 0, 0);
  }

  @Override
  public void wideValues(BlockReader r, int pair, Vector to) {
    int half = pair / 2;
    r.a.v(VMOVUPS, to, r.at(64 * half));
    r.a.vi(pair % 2 == 0 ? VPSLLW : VPSRLW, 2, to, to);
    r.a.v(VPANDD, to, to, wideConstant(0));
    r.a.v(VBROADCASTI64X4, T0.z(), r.at(UPPER_BITS + 32 * half));
    r.a.v(VPSLLVW, T0.z(), T0.z(), wideConstant(2 + pair % 2));
    r.a.vi(VPTERNLOGD, OR_OF_AND, to, T0.z(), wideConstant(1));
  }

  @Override
  public int directBlocks() {
    return 8;
  }

  @Override
  public void directConstants(PanelRows rows) {
    rows.load(0, 0x3C);
    rows.load(1, 0xC0);
  }

  @Override
  public void directValues(PanelRows rows) {
    for (int piece = 0; piece < 4; piece++) {
      int half = piece / 2;
      int four = 4 * (piece % 2);
      Vector[] upper = rows.turn(UPPER_BITS + 16 * piece, 24);
      for (int quarter = 0; quarter < 2; quarter++) {
        int bytes = 64 * half + 32 * quarter + 16 * (piece % 2);
        Vector[] lower = rows.turn(bytes, 16);
        for (int i = 0; i < 4; i++) {
          Vector low = Vector.zmm(20 + i);
          rows.a.vi(VPSLLW, 2, low, lower[i]);
          addUpper(rows, low, upper[i], 6 - 2 * quarter);
          rows.put(4 * half + quarter, four + i, low);
          rows.a.vi(VPSRLW, 2, lower[i], lower[i]);
          addUpper(rows, lower[i], upper[i], 2 - 2 * quarter);
          rows.put(4 * half + quarter + 2, four + i, lower[i]);
        }
      }
    }
  }

  /** Four bits stay where they are, two are shifted to their place above them. */
  private static void addUpper(PanelRows rows, Vector to, Vector upper, int shift) {
    Vector bits = Vector.zmm(28);
    rows.a.v(VPANDD, to, to, PanelRows.constant(0));
    rows.a.vi(VPSLLW, shift, bits, upper);
    rows.a.vi(VPTERNLOGD, OR_OF_AND, to, bits, PanelRows.constant(1));
  }
}
