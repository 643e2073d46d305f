package org.llamaj.kernel.x86.machine;

import static org.llamaj.kernel.x86.assembler.Address.at;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.Set;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;

/**
 * What this processor and its operating system offer: Intel's manual, volume 2, CPUID and XGETBV.
 */
public final class Processor {
  private static final int YMM_STATE = 0b110;
  private static final int ZMM_STATE = 0b1110_0110;
  private static final int TILE_STATE = 0b11 << 17;

  private Processor() {}

  /**
   * What the processor says of itself: EAX, EBX, ECX and EDX of a leaf.
   *
   * @param leaf1 of leaf 1
   * @param leaf7 of leaf 7
   * @param leaf7more of leaf 7, sub-leaf 1
   * @param state the registers that the operating system saves, from XGETBV
   */
  record Answers(int[] leaf1, int[] leaf7, int[] leaf7more, int state) {}

  /** What can be used here. Runs assembled code. */
  public static Set<Feature> features() {
    int[] leaf1 = cpuid(1, 0);
    boolean saves = bit(leaf1[2], 27);
    if (!saves || cpuid(0, 0)[0] < 7) {
      return EnumSet.noneOf(Feature.class);
    }
    int[] leaf7 = cpuid(7, 0);
    int[] leaf7more = leaf7[0] > 0 ? cpuid(7, 1) : new int[4];
    return features(new Answers(leaf1, leaf7, leaf7more, xgetbv()));
  }

  static Set<Feature> features(Answers cpu) {
    Set<Feature> found = EnumSet.noneOf(Feature.class);
    int ebx7 = cpu.leaf7[1];
    int ecx7 = cpu.leaf7[2];
    int edx7 = cpu.leaf7[3];
    if (saves(cpu, YMM_STATE)) {
      boolean fma = bit(cpu.leaf1[2], 12);
      boolean f16c = bit(cpu.leaf1[2], 29);
      add(found, Feature.AVX2, fma && f16c && bit(ebx7, 5));
      add(found, Feature.AVX_VNNI, bit(cpu.leaf7more[0], 4));
    }
    if (saves(cpu, ZMM_STATE)) {
      boolean f = bit(ebx7, 16);
      boolean dq = bit(ebx7, 17);
      boolean bw = bit(ebx7, 30);
      boolean vl = bit(ebx7, 31);
      add(found, Feature.AVX512, f && dq && bw && vl);
      add(found, Feature.AVX512_VNNI, bit(ecx7, 11));
      add(found, Feature.AVX512_BF16, bit(cpu.leaf7more[0], 5));
    }
    if (saves(cpu, TILE_STATE)) {
      boolean tile = bit(edx7, 24);
      add(found, Feature.AMX_BF16, tile && bit(edx7, 22));
    }
    return found;
  }

  private static boolean saves(Answers cpu, int state) {
    return (cpu.state & state) == state;
  }

  private static void add(Set<Feature> found, Feature feature, boolean has) {
    if (has) {
      found.add(feature);
    }
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
