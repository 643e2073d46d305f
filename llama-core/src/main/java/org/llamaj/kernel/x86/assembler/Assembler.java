package org.llamaj.kernel.x86.assembler;

/**
 * Turns instructions into machine code, in the order of the calls. Operands are in Intel's order,
 * destination first.
 */
public final class Assembler {
  private final CodeBuffer code = new CodeBuffer();
  private final VectorEncoder vectors = new VectorEncoder(code);

  /** Starts with no code. */
  public Assembler() {}

  /** {@return the code so far; all labels used must be bound} */
  public byte[] code() {
    return code.finish();
  }

  /**
   * Names the next instruction or constant.
   *
   * @param label not yet bound
   */
  public void bind(Label label) {
    label.bind(code.size());
  }

  /**
   * A vector instruction.
   *
   * @param instruction which
   * @param operands in Intel's order
   */
  public void v(Instruction instruction, Operand... operands) {
    vectors.encode(instruction, operands, 0, false);
  }

  /**
   * A vector instruction with an immediate value.
   *
   * @param instruction which
   * @param immediate the last operand
   * @param operands the others, in Intel's order
   */
  public void vi(Instruction instruction, int immediate, Operand... operands) {
    vectors.encode(instruction, operands, immediate, true);
  }

  /**
   * @param to 128-bit register
   * @param from its low 32 bits are copied, the rest is zero
   */
  public void vmovd(Vector to, Gpr from) {
    transfer(to.number(), from.ordinal(), 0, 0x6E);
  }

  /**
   * @param to receives the low 32 bits
   * @param from 128-bit register
   */
  public void vmovd(Gpr to, Vector from) {
    transfer(from.number(), to.ordinal(), 0, 0x7E);
  }

  private void transfer(int vector, int gpr, int w, int opcode) {
    if (vector > 15) {
      throw new IllegalArgumentException("no short form for register " + vector);
    }
    int r = ~vector >> 3 & 1;
    int b = ~gpr >> 3 & 1;
    if (b == 1 && w == 0) {
      code.u8(0xC5);
      code.u8(r << 7 | 0x79);
    } else {
      code.u8(0xC4);
      code.u8(r << 7 | 0x40 | b << 5 | 1);
      code.u8(w << 7 | 0x79);
    }
    code.u8(opcode);
    ModRm.register(code, vector, gpr);
  }

  /**
   * @param to mask register
   * @param from its low 64 bits are copied
   */
  public void kmovq(Mask to, Gpr from) {
    int b = ~from.ordinal() >> 3 & 1;
    code.u8(0xC4);
    code.u8(0xC0 | b << 5 | 1);
    code.u8(0xFB);
    code.u8(0x92);
    ModRm.register(code, to.ordinal(), from.ordinal());
  }

  /** Zeroes the upper halves, so that later SSE code is not slowed. */
  public void vzeroupper() {
    code.u8(0xC5);
    code.u8(0xF8);
    code.u8(0x77);
  }

  /**
   * Asks for a cache line in all cache levels.
   *
   * @param address anywhere in the line; need not be readable
   */
  public void prefetcht0(Address address) {
    prefetch(1, address);
  }

  /**
   * Asks for a cache line in the second level and below.
   *
   * @param address anywhere in the line; need not be readable
   */
  public void prefetcht1(Address address) {
    prefetch(2, address);
  }

  private void prefetch(int hint, Address address) {
    prefix(0, address, false);
    code.u8(0x0F);
    code.u8(0x18);
    ModRm.memory(code, hint, address, 1, 0);
  }

  /**
   * @param to register
   * @param from register
   */
  public void mov(Gpr to, Gpr from) {
    binary(0x89, to, from);
  }

  /**
   * @param to register
   * @param value in the shortest of the usual encodings
   */
  public void mov(Gpr to, long value) {
    boolean upper = to.ordinal() > 7;
    if (value >= 0 && value <= 0xFFFF_FFFFL) {
      if (upper) {
        code.u8(0x41);
      }
      code.u8(0xB8 | to.ordinal() & 7);
      code.i32((int) value);
    } else if (value == (int) value) {
      code.u8(upper ? 0x49 : 0x48);
      code.u8(0xC7);
      ModRm.register(code, 0, to.ordinal());
      code.i32((int) value);
    } else {
      code.u8(upper ? 0x49 : 0x48);
      code.u8(0xB8 | to.ordinal() & 7);
      code.i64(value);
    }
  }

  /**
   * @param to register
   * @param from 64 bits
   */
  public void mov(Gpr to, Address from) {
    memory(0x8B, to, from, true);
  }

  /**
   * @param to 64 bits
   * @param from register
   */
  public void mov(Address to, Gpr from) {
    memory(0x89, from, to, true);
  }

  /**
   * @param to register, upper half becomes zero
   * @param from 32 bits
   */
  public void mov32(Gpr to, Address from) {
    memory(0x8B, to, from, false);
  }

  /**
   * @param to 32 bits
   * @param from register
   */
  public void mov32(Address to, Gpr from) {
    memory(0x89, from, to, false);
  }

  /**
   * @param to 16 bits
   * @param from register
   */
  public void mov16(Address to, Gpr from) {
    code.u8(0x66);
    memory(0x89, from, to, false);
  }

  /**
   * @param to 8 bits
   * @param from register, below RSP or from R8 on: others need a prefix to have a low byte
   */
  public void mov8(Address to, Gpr from) {
    memory(0x88, from, to, false);
  }

  /**
   * @param to register, upper part becomes zero
   * @param from a byte
   */
  public void movzx8(Gpr to, Address from) {
    prefix(to.ordinal(), from, false);
    code.u8(0x0F);
    code.u8(0xB6);
    ModRm.memory(code, to.ordinal(), from, 1, 0);
  }

  /**
   * @param to register, upper part becomes zero
   * @param from two bytes
   */
  public void movzx16(Gpr to, Address from) {
    prefix(to.ordinal(), from, false);
    code.u8(0x0F);
    code.u8(0xB7);
    ModRm.memory(code, to.ordinal(), from, 1, 0);
  }

  /**
   * @param to register
   * @param from the address itself is the value
   */
  public void lea(Gpr to, Address from) {
    memory(0x8D, to, from, true);
  }

  /**
   * @param to register
   * @param from register
   */
  public void add(Gpr to, Gpr from) {
    binary(0x01, to, from);
  }

  /**
   * @param to register
   * @param from 64 bits
   */
  public void add(Gpr to, Address from) {
    memory(0x03, to, from, true);
  }

  /**
   * @param to register
   * @param value added
   */
  public void add(Gpr to, int value) {
    immediate(0, to, value);
  }

  /**
   * @param to register
   * @param from register
   */
  public void sub(Gpr to, Gpr from) {
    binary(0x29, to, from);
  }

  /**
   * @param to register
   * @param value subtracted
   */
  public void sub(Gpr to, int value) {
    immediate(5, to, value);
  }

  /**
   * @param to register
   * @param value bits to keep
   */
  public void and(Gpr to, int value) {
    immediate(4, to, value);
  }

  /**
   * @param to register
   * @param from register; the same makes zero
   */
  public void xor(Gpr to, Gpr from) {
    binary(0x31, to, from);
  }

  /**
   * @param a register
   * @param b register
   */
  public void cmp(Gpr a, Gpr b) {
    binary(0x39, a, b);
  }

  /**
   * @param a register
   * @param value compared with
   */
  public void cmp(Gpr a, int value) {
    immediate(7, a, value);
  }

  /**
   * @param to register
   * @param from factor
   * @param value other factor
   */
  public void imul(Gpr to, Gpr from, int value) {
    code.u8(0x48 | (to.ordinal() > 7 ? 4 : 0) | (from.ordinal() > 7 ? 1 : 0));
    code.u8(0x69);
    code.u8(0xC0 | (to.ordinal() & 7) << 3 | from.ordinal() & 7);
    code.i32(value);
  }

  /**
   * @param to register
   * @param bits to shift by
   */
  public void shl(Gpr to, int bits) {
    shift(4, to, bits);
  }

  /**
   * @param to register
   * @param bits to shift by, zeros coming in
   */
  public void shr(Gpr to, int bits) {
    shift(5, to, bits);
  }

  /**
   * @param from register to save
   */
  public void push(Gpr from) {
    if (from.ordinal() > 7) {
      code.u8(0x41);
    }
    code.u8(0x50 | from.ordinal() & 7);
  }

  /**
   * @param to register to restore
   */
  public void pop(Gpr to) {
    if (to.ordinal() > 7) {
      code.u8(0x41);
    }
    code.u8(0x58 | to.ordinal() & 7);
  }

  /**
   * Calls a subroutine.
   *
   * @param target 64 bits that hold its address
   */
  public void call(Address target) {
    // The register field extends the opcode: 2.
    memory(0xFF, Gpr.RDX, target, false);
  }

  /** Returns to the caller. */
  public void ret() {
    code.u8(0xC3);
  }

  /** Asks what the processor can do; see the manual. */
  public void cpuid() {
    code.u8(0x0F);
    code.u8(0xA2);
  }

  /** Asks which registers the operating system saves; see the manual. */
  public void xgetbv() {
    code.u8(0x0F);
    code.u8(0x01);
    code.u8(0xD0);
  }

  /**
   * @param target where to go on
   */
  public void jmp(Label target) {
    code.u8(0xE9);
    code.distance(target, 0, 0);
  }

  /**
   * @param condition when to jump
   * @param target where to go on then
   */
  public void j(Condition condition, Label target) {
    code.u8(0x0F);
    code.u8(0x80 | condition.code);
    code.distance(target, 0, 0);
  }

  /**
   * Pads with instructions that do nothing.
   *
   * @param bytes what the next position is to be a multiple of
   */
  public void align(int bytes) {
    while (code.size() % bytes != 0) {
      code.u8(0x90);
    }
  }

  /**
   * Constants, to be placed where the code does not run into them.
   *
   * @param values 32-bit values
   */
  public void ints(int... values) {
    for (int value : values) {
      code.i32(value);
    }
  }

  /**
   * Constants.
   *
   * @param values single-precision values
   */
  public void floats(float... values) {
    for (float value : values) {
      code.i32(Float.floatToRawIntBits(value));
    }
  }

  /**
   * Constants.
   *
   * @param values bytes
   */
  public void bytes(byte... values) {
    for (byte value : values) {
      code.u8(value);
    }
  }

  private void binary(int opcode, Gpr rm, Gpr reg) {
    code.u8(0x48 | (reg.ordinal() > 7 ? 4 : 0) | (rm.ordinal() > 7 ? 1 : 0));
    code.u8(opcode);
    ModRm.register(code, reg.ordinal(), rm.ordinal());
  }

  private void memory(int opcode, Gpr reg, Address address, boolean wide) {
    prefix(reg.ordinal(), address, wide);
    code.u8(opcode);
    ModRm.memory(code, reg.ordinal(), address, 1, 0);
  }

  private void immediate(int extension, Gpr to, int value) {
    code.u8(to.ordinal() > 7 ? 0x49 : 0x48);
    boolean isShort = (byte) value == value;
    if (!isShort && to == Gpr.RAX) {
      code.u8(extension << 3 | 5);
    } else {
      code.u8(isShort ? 0x83 : 0x81);
      ModRm.register(code, extension, to.ordinal());
    }
    if (isShort) {
      code.u8(value);
    } else {
      code.i32(value);
    }
  }

  private void shift(int extension, Gpr to, int bits) {
    code.u8(to.ordinal() > 7 ? 0x49 : 0x48);
    if (bits == 1) {
      code.u8(0xD1);
      ModRm.register(code, extension, to.ordinal());
    } else {
      code.u8(0xC1);
      ModRm.register(code, extension, to.ordinal());
      code.u8(bits);
    }
  }

  private void prefix(int reg, Address address, boolean wide) {
    int rex =
        (wide ? 8 : 0)
            | (reg > 7 ? 4 : 0)
            | (address.index() != null && address.index().ordinal() > 7 ? 2 : 0)
            | (address.base() != null && address.base().ordinal() > 7 ? 1 : 0);
    if (rex != 0) {
      code.u8(0x40 | rex);
    }
  }
}
