package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPAND;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPOR;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSHUFB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLVD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSUBD;
import static org.llamaj.kernel.x86.format.BlockReader.SCALES;
import static org.llamaj.kernel.x86.format.BlockReader.T0;
import static org.llamaj.kernel.x86.format.BlockReader.T1;
import static org.llamaj.kernel.x86.format.BlockReader.T2;
import static org.llamaj.kernel.x86.format.BlockReader.constant;
import static org.llamaj.kernel.x86.format.BlockReader.wideConstant;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * IQ4_XS: scale in half precision, 8 upper bit pairs and 8 lower nibbles of sub-scales whose zero
 * is 32, 8 x 16 bytes of nibbles that choose one of 16 levels.
 */
record NonLinearSuperBlock() implements BlockFormat {
  private static final int UPPER = 2;
  private static final int LOWER = 4;
  private static final int QUANTS = 8;

  @Override
  public int blockValues() {
    return 256;
  }

  @Override
  public int blockBytes() {
    return 136;
  }

  @Override
  public int scaleValues() {
    return 32;
  }

  @Override
  public boolean hasMinima() {
    return false;
  }

  @Override
  public float unit() {
    return 1;
  }

  @Override
  public void constants(BlockReader r) {
    r.load(0, r.kernel.bytes32(0x0F));
    r.load(1, r.kernel.bytes32(SmallBlock.LEVELS));
  }

  @Override
  public void scales(BlockReader r) {
    r.a.v(VPBROADCASTD, T0, r.at(LOWER));
    r.a.v(VPSRLVD, T0, T0, r.kernel.ints(0, 4, 8, 12, 16, 20, 24, 28));
    r.a.v(VPAND, T0, T0, all(r, 15));
    r.a.v(VPBROADCASTD, T1, r.at(UPPER));
    r.a.v(VPSRLVD, T1, T1, r.kernel.ints(0, 2, 4, 6, 8, 10, 12, 14));
    r.a.v(VPAND, T1, T1, all(r, 3));
    r.a.vi(VPSLLD, 4, T1, T1);
    r.a.v(VPOR, T0, T0, T1);
    r.a.v(VPSUBD, T0, T0, all(r, 32));
    r.a.v(VCVTDQ2PS, SCALES[0], T0);
    r.half(0, T2);
    r.a.v(VMULPS, SCALES[0], SCALES[0], T2);
  }

  private static Address all(BlockReader r, int value) {
    return r.kernel.ints(value, value, value, value, value, value, value, value);
  }

  @Override
  public void values(BlockReader r, int sub, Vector to) {
    SmallBlock.nibbles(r, QUANTS + 16 * sub, to);
    r.a.v(VPSHUFB, to, constant(1), to);
  }

  @Override
  public void wideConstants(BlockReader r) {
    SmallBlock.wideLevelConstants(r);
  }

  @Override
  public void wideValues(BlockReader r, int pair, Vector to) {
    int place = QUANTS + 32 * pair;
    SmallBlock.wideNibbles(r, place, place + 16, to);
    r.a.v(VPSHUFB, to, wideConstant(2), to);
  }

  @Override
  public int directBlocks() {
    return 8;
  }

  @Override
  public void directConstants(PanelRows rows) {
    SmallBlock.directLevelConstants(rows);
  }

  @Override
  public void directValues(PanelRows rows) {
    for (int block = 0; block < 8; block++) {
      SmallBlock.directLevels(rows, QUANTS + 16 * block, block);
    }
  }
}
