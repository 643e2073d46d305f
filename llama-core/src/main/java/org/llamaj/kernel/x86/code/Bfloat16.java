package org.llamaj.kernel.x86.code;

import static org.llamaj.kernel.x86.assembler.Instruction.VCVTNE2PS2BF16;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVZXWD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VSUBPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Vector;

/** Emits the rounding of 32 floats to bfloat16. AVX512-BF16, in registers 16 to 19. */
public final class Bfloat16 {
  /** The first 16 floats, and the others. */
  public static final Vector[] FLOATS = {Vector.zmm(16), Vector.zmm(17)};

  /** The 32 rounded values. */
  public static final Vector ROUNDED = Vector.zmm(18);

  private static final Vector WIDENED = Vector.zmm(19);

  private Bfloat16() {}

  /** ROUNDED = the floats, to nearest even. */
  public static void round(Assembler a) {
    a.v(VCVTNE2PS2BF16, ROUNDED, FLOATS[1], FLOATS[0]);
  }

  /** Subtracts from the floats what {@link #round} has made of them; exact. */
  public static void subtractRounded(Assembler a) {
    for (int half = 0; half < 2; half++) {
      if (half == 0) {
        a.v(VPMOVZXWD, WIDENED, ROUNDED.y());
      } else {
        a.vi(VEXTRACTI64X4, 1, WIDENED.y(), ROUNDED);
        a.v(VPMOVZXWD, WIDENED, WIDENED.y());
      }
      a.vi(VPSLLD, 16, WIDENED, WIDENED);
      a.v(VSUBPS, FLOATS[half], FLOATS[half], WIDENED);
    }
  }
}
