package org.llamaj.kernel.x86.assembler;

/** The 64-bit general registers, in the order of their numbers. */
public enum Gpr implements Operand {
  RAX,
  RCX,
  RDX,
  RBX,
  RSP,
  RBP,
  RSI,
  RDI,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15
}
