package org.llamaj.kernel.x86.panel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.kernel.x86.machine.MachineCode;
import org.llamaj.kernel.x86.machine.Scratch;

/**
 * The tiles of activations that a {@link SweepCode} multiplies weights with, in memory: a table for
 * each worker, as it also says how far the worker has got.
 */
public final class TileTable implements AutoCloseable {
  static final int TILES = 0;

  /** Address of the sums between blocks of values: [tiles][panels][activation rows][16] floats. */
  static final int SUMS = 8;

  /** How many tiles ask for weights ahead when they meet a block: a power of 2. */
  static final int ASKING_TILES = 16;

  /** How far {@link GemmCode} goes ahead for each block; {@link SweepCode} sets it. */
  static final int BYTES_AHEAD = 24;

  static final int ENTRIES = 32;

  // In each entry:

  /** Address of the {@link GemmCode}. */
  static final int PRODUCT = 0;

  /** Address of the tile. */
  static final int FIRST_BLOCK = 8;

  /** Address of what has not been multiplied yet. */
  static final int NEXT_BLOCK = 16;

  /** Activation rows. */
  static final int TOKENS = 24;

  static final int ENTRY_BYTES = 32;

  private final Scratch tables = new Scratch();
  private final Scratch sums = new Scratch();

  /** On the heap, written to memory at once: single writes are slow as long as they interpret. */
  private long[] words = {};

  private int tiles;
  private int tableWords;

  /**
   * Begins a table.
   *
   * @param tileCount how many tiles
   * @param asking how many of them, the first, have a product that asks for weights ahead
   */
  public void begin(int tileCount, int asking) {
    tiles = tileCount;
    tableWords = (ENTRIES + tiles * ENTRY_BYTES + 63) / 64 * 8;
    if (words.length < tableWords) {
      words = new long[tableWords];
    }
    words[TILES / 8] = tiles;
    words[ASKING_TILES / 8] = asking;
  }

  /** Sets a tile. */
  public void tile(int index, MachineCode product, long address, int tokens) {
    int entry = (ENTRIES + index * ENTRY_BYTES) / 8;
    words[entry + PRODUCT / 8] = product.address();
    words[entry + FIRST_BLOCK / 8] = address;
    words[entry + TOKENS / 8] = tokens;
  }

  /** Writes the tables of all workers. */
  public void end(int workers, int tokens) {
    long sumBytes = 4L * PanelFormat.ROWS * SweepCode.MOST_PANELS * tokens;
    sums.address(workers * sumBytes);
    tables.address(8L * workers * tableWords);
    for (int worker = 0; worker < workers; worker++) {
      words[SUMS / 8] = sums.memory().address() + worker * sumBytes;
      MemorySegment.copy(
          words, 0, tables.memory(), ValueLayout.JAVA_LONG, 8L * worker * tableWords, tableWords);
    }
  }

  /** A worker's table. */
  public long address(int worker) {
    return tables.memory().address() + 8L * worker * tableWords;
  }

  @Override
  public void close() {
    tables.close();
    sums.close();
  }
}
