package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VINSERTI64X4;

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
public interface BlockFormat {

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
   * @param sub which 32 of the block; of blocks of 32, which of the neighbouring ones
   * @param to 256-bit register; the reader's temporaries may change
   */
  void values(BlockReader reader, int sub, Vector to);

  /** Loads what {@link #wideValues} needs into the reader's wide constant registers. */
  default void wideConstants(BlockReader reader) {}

  /**
   * The scales of up to 256 values, and their minima, into the reader's registers: of a block of
   * 256, or of neighbouring blocks of 32.
   *
   * @param values a multiple of 32; scales beyond are 0. AVX-512 where blocks have 32
   */
  default void recordScales(BlockReader reader, int values) {
    scales(reader);
  }

  /**
   * As {@link #recordScales}, in the first registers for scales and minima alone, 512 bits wide: 16
   * scales, and 16 minima if there are any, or 8 scales and behind them 8 minima.
   *
   * @param values a multiple of 32; scales beyond are 0
   */
  default void laneScales(BlockReader reader, int values) {
    recordScales(reader, values);
    Vector scales = BlockReader.SCALES[0].z();
    Vector minima = BlockReader.MINIMA[0].z();
    if (scaleValues() == 16) {
      reader.a.vi(VINSERTI64X4, 1, scales, scales, BlockReader.SCALES[1]);
      if (hasMinima()) {
        reader.a.vi(VINSERTI64X4, 1, minima, minima, BlockReader.MINIMA[1]);
      }
    } else if (hasMinima()) {
      reader.a.vi(VINSERTI64X4, 1, scales, scales, BlockReader.MINIMA[0]);
    }
  }

  /** What the second 32 of {@link #wideValues} are too large by. */
  default int upperFactor() {
    return 1;
  }

  /**
   * 64 values as bytes, in AVX-512; the second 32 times {@link #upperFactor}.
   *
   * @param pair which 64 of up to 256 neighbouring ones
   * @param to 512-bit register; the reader's temporaries and first scales may change
   */
  default void wideValues(BlockReader reader, int pair, Vector to) {
    Vector upper = BlockReader.SCALES[0];
    values(reader, 2 * pair, to.y());
    values(reader, 2 * pair + 1, upper);
    reader.a.vi(VINSERTI64X4, 1, to, to, upper);
  }

  /**
   * How many neighbouring 32 values {@link #directValues} unpacks: 1 or 8, or 0 if the format has
   * no such code.
   */
  default int directBlocks() {
    return 0;
  }

  /** Loads what {@link #directValues} needs into the rows' constant registers. */
  default void directConstants(PanelRows rows) {}

  /** Unpacks values of 16 rows into a panel, in AVX-512. Registers from 16 on are free. */
  default void directValues(PanelRows rows) {
    throw new UnsupportedOperationException(toString());
  }

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
