package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;

/**
 * What this processor and its operating system offer: Intel's manual, volume 2, CPUID and XGETBV.
 */
final class Processor {
  private static final int YMM_STATE = 0b110;
  private static final int ZMM_STATE = 0b1110_0110;

  private Processor() {}

  /** The highest level that runs here; empty without AVX2. Runs assembled code. */
  static Optional<Level> level() {
    int[] features = cpuid(1, 0);
    boolean saves = bit(features[2], 27);
    if (!saves || cpuid(0, 0)[0] < 7) {
      return Optional.empty();
    }
    int state = xgetbv();
    int[] extended = cpuid(7, 0);
    boolean avx2 =
        (state & YMM_STATE) == YMM_STATE
            && bit(features[2], 12) // FMA
            && bit(features[2], 29) // F16C
            && bit(extended[1], 5);
    boolean avx512 =
        (state & ZMM_STATE) == ZMM_STATE
            && bit(extended[1], 16) // F
            && bit(extended[1], 17) // DQ
            && bit(extended[1], 30) // BW
            && bit(extended[1], 31); // VL
    if (!avx2) {
      return Optional.empty();
    }
    if (!avx512) {
      return Optional.of(Level.AVX2);
    }
    return Optional.of(bit(extended[2], 11) ? Level.AVX512VNNI : Level.AVX512);
  }

  private static boolean bit(int word, int number) {
    return (word >> number & 1) != 0;
  }

  /** EAX, EBX, ECX and EDX. */
  private static int[] cpuid(int leaf, int subLeaf) {
    Assembler a = new Assembler();
    a.push(Gpr.RBX);
    a.mov(Gpr.RAX, Gpr.RDI);
    a.mov(Gpr.RCX, Gpr.RSI);
    a.mov(Gpr.R8, Gpr.RDX);
    a.cpuid();
    a.mov32(at(Gpr.R8, 0), Gpr.RAX);
    a.mov32(at(Gpr.R8, 4), Gpr.RBX);
    a.mov32(at(Gpr.R8, 8), Gpr.RCX);
    a.mov32(at(Gpr.R8, 12), Gpr.RDX);
    a.pop(Gpr.RBX);
    a.ret();
    return run(a, leaf, subLeaf);
  }

  private static int xgetbv() {
    Assembler a = new Assembler();
    a.xor(Gpr.RCX, Gpr.RCX);
    a.mov(Gpr.R8, Gpr.RDX);
    a.xgetbv();
    a.mov32(at(Gpr.R8), Gpr.RAX);
    a.ret();
    return run(a, 0, 0)[0];
  }

  private static int[] run(Assembler a, int first, int second) {
    try (Arena arena = Arena.ofConfined();
        MachineCode code = new MachineCode(a.code())) {
      MemorySegment result = arena.allocate(16, 16);
      code.callShort(first, second, result.address(), 0, 0, 0);
      return result.toArray(ValueLayout.JAVA_INT);
    }
  }
}
