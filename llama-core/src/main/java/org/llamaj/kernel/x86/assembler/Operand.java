package org.llamaj.kernel.x86.assembler;

/** What an instruction works on. */
public sealed interface Operand permits Address, Gpr, Mask, Tile, Vector {}
