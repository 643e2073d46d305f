package org.llamaj.kernel.x86.assembler;

import static org.llamaj.kernel.x86.assembler.Instruction.Form.MOVE;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.RMV;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.M;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.R;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.NONE;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.MR;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.MRI;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.RM;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.RMI;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.RVM;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.RVMI;
import static org.llamaj.kernel.x86.assembler.Instruction.Form.VMI;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.BYTES_16;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.BYTES_2;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.BYTES_32;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.BYTES_4;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.BYTES_8;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.FULL;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.FULL_MEM;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.HALF_MEM;
import static org.llamaj.kernel.x86.assembler.Instruction.Tuple.QUARTER_MEM;

/**
 * The vector instructions, each with its numbers from the manual: opcode map (1 = 0F, 2 = 0F38, 3 =
 * 0F3A), mandatory prefix (0 = none, 1 = 66, 2 = F3, 3 = F2), opcode, W bit in the VEX and in the
 * EVEX form (-1 where there is no such form), and the unit in which EVEX counts displacements.
 */
public enum Instruction {
  VMOVUPS(MOVE, 1, 0, 0x10, 0, 0, FULL_MEM, 0x11),
  VMOVSS(MOVE, 1, 2, 0x10, 0, 0, BYTES_4, 0x11),

  VBROADCASTSS(RM, 2, 1, 0x18, 0, 0, BYTES_4),
  VPBROADCASTW(RM, 2, 1, 0x79, 0, 0, BYTES_2),
  VPBROADCASTD(RM, 2, 1, 0x58, 0, 0, BYTES_4),
  VPBROADCASTQ(RM, 2, 1, 0x59, 0, 1, BYTES_8),
  VBROADCASTI32X4(RM, 2, 1, 0x5A, -1, 0, BYTES_16),
  VBROADCASTI64X4(RM, 2, 1, 0x5B, -1, 1, BYTES_32),

  VADDPS(RVM, 1, 0, 0x58, 0, 0, FULL),
  VSUBPS(RVM, 1, 0, 0x5C, 0, 0, FULL),
  VMULPS(RVM, 1, 0, 0x59, 0, 0, FULL),
  VDIVPS(RVM, 1, 0, 0x5E, 0, 0, FULL),
  VMAXPS(RVM, 1, 0, 0x5F, 0, 0, FULL),
  VMINPS(RVM, 1, 0, 0x5D, 0, 0, FULL),
  VANDPS(RVM, 1, 0, 0x54, 0, 0, FULL),
  VXORPS(RVM, 1, 0, 0x57, 0, 0, FULL),
  VADDSS(RVM, 1, 2, 0x58, 0, 0, BYTES_4),
  VMULSS(RVM, 1, 2, 0x59, 0, 0, BYTES_4),
  VDIVSS(RVM, 1, 2, 0x5E, 0, 0, BYTES_4),
  VMAXSS(RVM, 1, 2, 0x5F, 0, 0, BYTES_4),
  VSQRTSS(RVM, 1, 2, 0x51, 0, 0, BYTES_4),
  VHADDPS(RVM, 1, 3, 0x7C, 0, -1, FULL),
  VFMADD231PS(RVM, 2, 1, 0xB8, 0, 0, FULL),
  VFMADD213PS(RVM, 2, 1, 0xA8, 0, 0, FULL),
  VFNMADD231PS(RVM, 2, 1, 0xBC, 0, 0, FULL),
  VFMADDSUB213PS(RVM, 2, 1, 0xA6, 0, 0, FULL),
  VFMADD231SS(RVM, 2, 1, 0xB9, 0, 0, BYTES_4),
  VRNDSCALEPS(RMI, 3, 1, 0x08, -1, 0, FULL),
  VROUNDPS(RMI, 3, 1, 0x08, 0, -1, FULL),

  VCVTDQ2PS(RM, 1, 0, 0x5B, 0, 0, FULL),
  VCVTPS2DQ(RM, 1, 1, 0x5B, 0, 0, FULL),
  VCVTPH2PS(RM, 2, 1, 0x13, 0, 0, HALF_MEM),
  VCVTPS2PH(MRI, 3, 1, 0x1D, 0, 0, HALF_MEM),

  VCVTNE2PS2BF16(RVM, 2, 3, 0x72, -1, 0, FULL),
  VDPBF16PS(RVM, 2, 2, 0x52, -1, 0, FULL),

  VPMOVZXBD(RM, 2, 1, 0x31, 0, 0, QUARTER_MEM),
  VPMOVZXWD(RM, 2, 1, 0x33, 0, 0, HALF_MEM),
  VPMOVSXBD(RM, 2, 1, 0x21, 0, 0, QUARTER_MEM),
  VPMOVDB(MR, 2, 2, 0x31, -1, 0, QUARTER_MEM),

  VPADDD(RVM, 1, 1, 0xFE, 0, 0, FULL),
  VPSUBB(RVM, 1, 1, 0xF8, 0, 0, FULL_MEM),
  VPSUBD(RVM, 1, 1, 0xFA, 0, 0, FULL),
  VPMADDWD(RVM, 1, 1, 0xF5, 0, 0, FULL_MEM),
  VPMADDUBSW(RVM, 2, 1, 0x04, 0, 0, FULL_MEM),
  VPDPBUSD(RVM, 2, 1, 0x50, -1, 0, FULL),
  /** The form of AVX-VNNI; a processor may have either, or both. */
  VPDPBUSD_VEX(RVM, 2, 1, 0x50, 0, -1, FULL),
  VPSIGNB(RVM, 2, 1, 0x08, 0, -1, FULL_MEM),
  VPABSB(RM, 2, 1, 0x1C, 0, 0, FULL_MEM),
  VPAND(RVM, 1, 1, 0xDB, 0, -1, FULL),
  VPOR(RVM, 1, 1, 0xEB, 0, -1, FULL),
  VPXOR(RVM, 1, 1, 0xEF, 0, -1, FULL),
  VPANDD(RVM, 1, 1, 0xDB, -1, 0, FULL),
  VPXORD(RVM, 1, 1, 0xEF, -1, 0, FULL),
  VPTERNLOGD(RVMI, 3, 1, 0x25, -1, 0, FULL),
  VPCMPEQB(RVM, 1, 1, 0x74, 0, -1, FULL_MEM),

  VPSLLW(VMI, 1, 1, 0x71, 0, 0, FULL_MEM, 6),
  VPSRLW(VMI, 1, 1, 0x71, 0, 0, FULL_MEM, 2),
  VPSLLD(VMI, 1, 1, 0x72, 0, 0, FULL, 6),
  VPSRLD(VMI, 1, 1, 0x72, 0, 0, FULL, 2),
  VPSRAD(VMI, 1, 1, 0x72, 0, 0, FULL, 4),
  VPSLLVW(RVM, 2, 1, 0x12, -1, 1, FULL_MEM),
  VPSRLVW(RVM, 2, 1, 0x10, -1, 1, FULL_MEM),
  VPSRLVD(RVM, 2, 1, 0x45, 0, 0, FULL),
  VPSRLVQ(RVM, 2, 1, 0x45, 1, 1, FULL),

  VPACKSSDW(RVM, 1, 1, 0x6B, 0, 0, FULL),
  VPACKSSWB(RVM, 1, 1, 0x63, 0, 0, FULL_MEM),
  VPUNPCKLBW(RVM, 1, 1, 0x60, 0, 0, FULL_MEM),
  VPUNPCKHBW(RVM, 1, 1, 0x68, 0, 0, FULL_MEM),
  VPUNPCKLWD(RVM, 1, 1, 0x61, 0, 0, FULL_MEM),
  VPUNPCKHWD(RVM, 1, 1, 0x69, 0, 0, FULL_MEM),
  VPUNPCKLDQ(RVM, 1, 1, 0x62, 0, 0, FULL),
  VPUNPCKHDQ(RVM, 1, 1, 0x6A, 0, 0, FULL),
  VPUNPCKLQDQ(RVM, 1, 1, 0x6C, 0, 1, FULL),
  VPUNPCKHQDQ(RVM, 1, 1, 0x6D, 0, 1, FULL),
  VPSHUFB(RVM, 2, 1, 0x00, 0, 0, FULL_MEM),
  VPSHUFD(RMI, 1, 1, 0x70, 0, 0, FULL),
  VSHUFPS(RVMI, 1, 0, 0xC6, 0, 0, FULL),
  VPERMD(RVM, 2, 1, 0x36, 0, 0, FULL),
  VPERMPS(RVM, 2, 1, 0x16, 0, 0, FULL),
  VPERMI2D(RVM, 2, 1, 0x76, -1, 0, FULL),
  VPERMT2W(RVM, 2, 1, 0x7D, -1, 1, FULL_MEM),
  VPINSRW(RVMI, 1, 1, 0xC4, 0, 0, BYTES_2),
  VPERM2I128(RVMI, 3, 1, 0x46, 0, -1, FULL),
  VSHUFI32X4(RVMI, 3, 1, 0x43, -1, 0, FULL),
  VINSERTI128(RVMI, 3, 1, 0x38, 0, -1, BYTES_16),
  VINSERTI32X4(RVMI, 3, 1, 0x38, -1, 0, BYTES_16),
  VINSERTI64X4(RVMI, 3, 1, 0x3A, -1, 1, BYTES_32),
  VEXTRACTI128(MRI, 3, 1, 0x39, 0, -1, BYTES_16),
  VEXTRACTF128(MRI, 3, 1, 0x19, 0, -1, BYTES_16),
  VEXTRACTI64X4(MRI, 3, 1, 0x3B, -1, 1, BYTES_32),

  LDTILECFG(M, 2, 0, 0x49, 0, -1, FULL_MEM),
  TILERELEASE(NONE, 2, 0, 0x49, 0, -1, FULL_MEM),
  TILEZERO(R, 2, 3, 0x49, 0, -1, FULL_MEM),
  /** Memory is base + row * index; the index register holds the bytes between rows. */
  TILELOADD(RM, 2, 3, 0x4B, 0, -1, FULL_MEM),
  TILESTORED(MR, 2, 2, 0x4B, 0, -1, FULL_MEM),
  TDPBF16PS(RMV, 2, 2, 0x5C, 0, -1, FULL_MEM);

  /** Which operand goes to which field: R(eg), V(vvv), M(odrm), I(mmediate), in written order. */
  enum Form {
    NONE,
    R,
    M,
    RVM,
    RVMI,
    RMV,
    RM,
    RMI,
    MR,
    MRI,
    /** Destination in vvvv; the register field extends the opcode. */
    VMI,
    /** RM when loading; MR with another opcode when storing. */
    MOVE
  }

  /** How many bytes of memory the instruction touches; EVEX counts short displacements in it. */
  enum Tuple {
    /** The vector's length, or one element when broadcast. */
    FULL,
    FULL_MEM,
    HALF_MEM,
    QUARTER_MEM,
    BYTES_2,
    BYTES_4,
    BYTES_8,
    BYTES_16,
    BYTES_32;

    int bytes(int vectorBits) {
      return switch (this) {
        case FULL, FULL_MEM -> vectorBits / 8;
        case HALF_MEM -> vectorBits / 16;
        case QUARTER_MEM -> vectorBits / 32;
        case BYTES_2 -> 2;
        case BYTES_4 -> 4;
        case BYTES_8 -> 8;
        case BYTES_16 -> 16;
        case BYTES_32 -> 32;
      };
    }
  }

  final Form form;
  final int map;
  final int prefix;
  final int opcode;
  final int vexW;
  final int evexW;
  final Tuple tuple;

  /** The storing opcode of a MOVE, or the opcode extension of a VMI. */
  final int extra;

  Instruction(Form form, int map, int prefix, int opcode, int vexW, int evexW, Tuple tuple) {
    this(form, map, prefix, opcode, vexW, evexW, tuple, 0);
  }

  Instruction(
      Form form, int map, int prefix, int opcode, int vexW, int evexW, Tuple tuple, int extra) {
    this.form = form;
    this.map = map;
    this.prefix = prefix;
    this.opcode = opcode;
    this.vexW = vexW;
    this.evexW = evexW;
    this.tuple = tuple;
    this.extra = extra;
  }
}
