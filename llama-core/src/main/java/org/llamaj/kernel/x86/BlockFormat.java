package org.llamaj.kernel.x86;

import java.util.Optional;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.tensor.ElementType;

/**
 * How a quantised type is taken apart: emits AVX2 code that brings 32 neighbouring values of a row
 * into a register as unsigned bytes, and the scales of a block as floats.
 *
 * <p>A value is {@code unit * scale * (byte - 128)}, or {@code unit * scale * byte - minimum} for
 * types with minima. Symmetric types of fewer than 8 bits are shifted up so that their zero is 128
 * too; {@code unit} undoes that.
 */
interface BlockFormat {

  /** Values of a block: 32 or 256. */
  int blockValues();

  /** Bytes of a block. */
  int blockBytes();

  /** Neighbouring values with the same scale: 32 or 16. */
  int scaleValues();

  /** Whether scales come with minima; bytes then count from 0 rather than from 128. */
  boolean hasMinima();

  /** What scales are in units of. */
  float unit();

  /** Loads what the code below needs into the reader's constant registers. */
  void constants(BlockReader reader);

  /**
   * The scales of a block of 256, and its minima, into the reader's registers for them: value i in
   * lane i. Blocks of 32 have their scale, and their minimum behind it, as the block's first
   * halves.
   */
  void scales(BlockReader reader);

  /**
   * 32 values as bytes.
   *
   * @param sub which 32 of the block
   * @param to 256-bit register; the reader's temporaries may change
   */
  void values(BlockReader reader, int sub, Vector to);

  /** The format of a type; empty if there is none. */
  static Optional<BlockFormat> of(ElementType type) {
    return Optional.ofNullable(
        switch (type) {
          case Q8_0 -> SmallBlock.Q8_0;
          case Q4_0 -> SmallBlock.Q4_0;
          case Q4_1 -> SmallBlock.Q4_1;
          case Q5_0 -> SmallBlock.Q5_0;
          case Q5_1 -> SmallBlock.Q5_1;
          case IQ4_NL -> SmallBlock.IQ4_NL;
          case Q4_K -> new FourBitSuperBlock(false);
          case Q5_K -> new FourBitSuperBlock(true);
          case Q6_K -> new Q6SuperBlock();
          case Q2_K -> new Q2SuperBlock();
          case Q3_K -> new Q3SuperBlock();
          case IQ4_XS -> new NonLinearSuperBlock();
          default -> null;
        });
  }
}
