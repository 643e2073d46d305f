package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPAND;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPOR;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLVD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLVQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSUBB;
import static org.llamaj.kernel.x86.format.BlockReader.SCALES;
import static org.llamaj.kernel.x86.format.BlockReader.T0;
import static org.llamaj.kernel.x86.format.BlockReader.T1;
import static org.llamaj.kernel.x86.format.BlockReader.T2;
import static org.llamaj.kernel.x86.format.BlockReader.constant;

import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Q3_K: 32 bytes of third bits (bit s of byte i belongs to value i of the s-th 32), 64 bytes of bit
 * pairs, 12 bytes of 16 sub-scales of 6 bits whose zero is 32, scale in half precision. Zero is 4;
 * the bits are placed at the top of the byte.
 */
record Q3SuperBlock() implements BlockFormat {
  private static final int QUANTS = 32;
  private static final int LOW_SCALES = 96;
  private static final int HIGH_SCALES = 104;
  private static final int SCALE = 108;

  @Override
  public int blockValues() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 110;
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
    return 1f / 32;
  }

  @Override
  public void constants(BlockReader r) {
    r.load(0, r.kernel.bytes32(0x60));
    r.load(1, r.kernel.bytes32(0x80));
  }

  /** Low nibbles of 8 bytes, then their high nibbles; above them bit pairs of 4 bytes. */
  @Override
  public void scales(BlockReader r) {
    r.a.v(VPBROADCASTQ, T0.x(), r.at(LOW_SCALES));
    r.a.v(VPSRLVQ, T0.x(), T0.x(), r.kernel.ints(0, 0, 4, 0));
    r.a.v(VPAND, T0.x(), T0.x(), r.kernel.bytes32(0x0F));
    r.a.v(VPBROADCASTD, T1.x(), r.at(HIGH_SCALES));
    r.a.v(VPSRLVD, T1.x(), T1.x(), r.kernel.ints(0, 2, 4, 6));
    r.a.v(VPAND, T1.x(), T1.x(), r.kernel.bytes32(0x03));
    r.a.vi(VPSLLW, 4, T1.x(), T1.x());
    r.a.v(VPOR, T0.x(), T0.x(), T1.x());
    r.a.v(VPSUBB, T0.x(), T0.x(), r.kernel.bytes32(32));
    r.half(SCALE, T2);
    r.floats(T0, SCALES, T2);
  }

  @Override
  public void values(BlockReader r, int sub, Vector to) {
    int left = 5 - sub % 4 * 2;
    r.a.v(VMOVUPS, to, r.at(QUANTS + 32 * (sub / 4)));
    if (left > 0) {
      r.a.vi(VPSLLW, left, to, to);
    } else {
      r.a.vi(VPSRLW, -left, to, to);
    }
    r.a.v(VPAND, to, to, constant(0));
    r.a.v(VMOVUPS, T0, r.at(0));
    if (sub < 7) {
      r.a.vi(VPSLLW, 7 - sub, T0, T0);
    }
    r.a.v(VPAND, T0, T0, constant(1));
    r.a.v(VPOR, to, to, T0);
  }
}
