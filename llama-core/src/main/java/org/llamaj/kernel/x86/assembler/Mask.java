package org.llamaj.kernel.x86.assembler;

/** The opmask registers of AVX-512; K0 means "no mask" where it would select lanes. */
public enum Mask implements Operand {
  K0,
  K1,
  K2,
  K3,
  K4,
  K5,
  K6,
  K7
}
