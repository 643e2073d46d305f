package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPAND;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLW;
import static org.llamaj.kernel.x86.format.BlockReader.MINIMA;
import static org.llamaj.kernel.x86.format.BlockReader.SCALES;
import static org.llamaj.kernel.x86.format.BlockReader.T0;
import static org.llamaj.kernel.x86.format.BlockReader.T1;
import static org.llamaj.kernel.x86.format.BlockReader.T2;
import static org.llamaj.kernel.x86.format.BlockReader.constant;

import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Q2_K: 16 bytes of 4-bit sub-scales (low) and sub-minima (high), 64 bytes of bit pairs (four
 * groups of 32 values share 32 bytes), scale and minimum in half precision.
 */
record Q2SuperBlock() implements BlockFormat {
  private static final int QUANTS = 16;
  private static final int SCALE = 80;
  private static final int MINIMUM = 82;

  @Override
  public int blockValues() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 84;
  }

  @Override
  public int scaleValues() {
    return 16;
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
    r.load(1, r.kernel.bytes32(0x03));
  }

  @Override
  public void scales(BlockReader r) {
    r.a.v(VMOVUPS, T0.x(), r.at(0));
    r.a.vi(VPSRLW, 4, T1.x(), T0.x());
    r.a.v(VPAND, T0.x(), T0.x(), constant(0).x());
    r.a.v(VPAND, T1.x(), T1.x(), constant(0).x());
    r.half(SCALE, T2);
    r.floats(T0, SCALES, T2);
    r.half(MINIMUM, T2);
    r.floats(T1, MINIMA, T2);
  }

  @Override
  public void values(BlockReader r, int sub, Vector to) {
    int shift = sub % 4 * 2;
    r.a.v(VMOVUPS, to, r.at(QUANTS + 32 * (sub / 4)));
    if (shift > 0) {
      r.a.vi(VPSRLW, shift, to, to);
    }
    r.a.v(VPAND, to, to, constant(1));
  }
}
