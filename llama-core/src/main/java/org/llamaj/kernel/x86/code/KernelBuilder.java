package org.llamaj.kernel.x86.code;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTF128;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VHADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSHUFD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPXORD;
import static org.llamaj.kernel.x86.assembler.Instruction.VXORPS;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * What kernels have in common: an assembler, constants behind the code, a stack frame, loops and
 * the sum over a register's lanes. Functions follow the System V calling convention: arguments in
 * RDI, RSI, RDX, RCX, R8, R9; RBX, RBP and R12 to R15 belong to the caller.
 */
public final class KernelBuilder {
  /** The arguments, in order. */
  static final Gpr[] ARGUMENTS = {Gpr.RDI, Gpr.RSI, Gpr.RDX, Gpr.RCX, Gpr.R8, Gpr.R9};

  private static final Gpr[] SAVED = {Gpr.RBX, Gpr.R12, Gpr.R13, Gpr.R14, Gpr.R15};

  /** Assembles; public to the kernels as every line of them uses it. */
  public final Assembler a = new Assembler();

  private final Map<ByteBuffer, Label> constants = new LinkedHashMap<>();
  private final int frameBytes;

  /** Whether the code is a subroutine of other kernels, with a calling convention of its own. */
  private final boolean subroutine;

  /**
   * Begins a function: saves the registers that are the caller's and makes room.
   *
   * @param frameBytes room at RSP, aligned to 64 bytes
   */
  public KernelBuilder(int frameBytes) {
    subroutine = false;
    this.frameBytes = (frameBytes + 63) / 64 * 64;
    a.push(Gpr.RBP);
    a.mov(Gpr.RBP, Gpr.RSP);
    for (Gpr register : SAVED) {
      a.push(register);
    }
    if (frameBytes > 0) {
      a.sub(Gpr.RSP, this.frameBytes);
      a.and(Gpr.RSP, -64);
    }
  }

  private KernelBuilder() {
    subroutine = true;
    frameBytes = 0;
  }

  /** Begins a subroutine of other kernels, which save registers themselves. */
  public static KernelBuilder subroutine() {
    return new KernelBuilder();
  }

  /** Ends the function. */
  public byte[] finish() {
    if (!subroutine) {
      restoreRegisters();
    }
    a.ret();
    a.align(64);
    constants.forEach(
        (value, label) -> {
          a.bind(label);
          a.bytes(value.array());
          a.align(32);
        });
    return a.code();
  }

  private void restoreRegisters() {
    a.vzeroupper();
    a.lea(Gpr.RSP, at(Gpr.RBP, -8 * SAVED.length));
    for (int i = SAVED.length - 1; i >= 0; i--) {
      a.pop(SAVED[i]);
    }
    a.pop(Gpr.RBP);
  }

  /** 32-bit constants in memory. */
  public Address ints(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return constant(bytes);
  }

  /** A 32-byte constant in memory: the value in every byte. */
  public Address bytes32(int value) {
    int four = (value & 0xFF) * 0x01010101;
    return ints(four, four, four, four, four, four, four, four);
  }

  /** A 32-byte constant: the given bytes, repeated as often as needed. */
  public Address bytes32(byte[] pattern) {
    byte[] bytes = new byte[32];
    for (int i = 0; i < 32; i++) {
      bytes[i] = pattern[i % pattern.length];
    }
    return constant(ByteBuffer.wrap(bytes));
  }

  /** A single-precision constant in memory. */
  public Address scalar(float value) {
    return ints(Float.floatToRawIntBits(value));
  }

  /** The same float in 8 lanes, in memory. */
  public Address float8(float value) {
    int[] bits = new int[8];
    java.util.Arrays.fill(bits, Float.floatToRawIntBits(value));
    return ints(bits);
  }

  /** The same float in all lanes of a 256-bit or 512-bit operand, in memory. */
  public Address all(float value, int bits) {
    return bits == 512 ? scalar(value).toAll() : float8(value);
  }

  private Address constant(ByteBuffer value) {
    return at(constants.computeIfAbsent(value.rewind(), unused -> new Label()));
  }

  /** Repeats the body; the counter register goes down to zero. It must hold at least 1. */
  public void loop(Gpr counter, Runnable body) {
    Label top = new Label();
    a.bind(top);
    body.run();
    a.sub(counter, 1);
    a.j(Condition.NOT_EQUAL, top);
  }

  /** Repeats the body a fixed number of times, without a loop if that is one. */
  public void repeat(int count, Gpr counter, Runnable body) {
    if (count == 1) {
      body.run();
    } else if (count > 1) {
      a.mov(counter, count);
      loop(counter, body);
    }
  }

  /** A register with all lanes zero. */
  public void zero(Vector register) {
    if (register.number() < 16) {
      a.v(VXORPS, register.x(), register.x(), register.x());
    } else {
      a.v(VPXORD, register, register, register);
    }
  }

  /** The sum of all lanes, in lane 0; the other register, below 16 as this one, is overwritten. */
  public void sumLanes(Vector register, Vector other) {
    if (register.bits() == 512) {
      a.vi(VEXTRACTI64X4, 1, other.y(), register);
      a.v(VADDPS, register.y(), register.y(), other.y());
    }
    a.vi(VEXTRACTF128, 1, other.x(), register.y());
    a.v(VADDPS, register.x(), register.x(), other.x());
    a.v(VHADDPS, register.x(), register.x(), register.x());
    a.v(VHADDPS, register.x(), register.x(), register.x());
  }

  /** The largest of all lanes, in lane 0. */
  public void maxLanes(Vector register, Vector other) {
    if (register.bits() == 512) {
      a.vi(VEXTRACTI64X4, 1, other.y(), register);
      a.v(VMAXPS, register.y(), register.y(), other.y());
    }
    a.vi(VEXTRACTF128, 1, other.x(), register.y());
    a.v(VMAXPS, register.x(), register.x(), other.x());
    a.vi(VPSHUFD, 0x4E, other.x(), register.x());
    a.v(VMAXPS, register.x(), register.x(), other.x());
    a.vi(VPSHUFD, 0xB1, other.x(), register.x());
    a.v(VMAXPS, register.x(), register.x(), other.x());
  }
}
