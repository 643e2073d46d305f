package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.format.BlockFormat;

/**
 * Products of rows of quantised weights with any number of tiles of activations, in AVX-512 VNNI.
 * Some panels of 16 rows at a time, and of these 256 values at a time, are unpacked and meet all
 * tiles ({@link GemmCode}) while they are in the first-level cache; sums wait in memory in between.
 * So arithmetic and reading from memory alternate in fractions of a microsecond, and what has been
 * asked for arrives meanwhile.
 */
public final class SweepCode {
  /** Most panels that meet a tile one after the other. */
  public static final int MOST_PANELS = 2;

  /** The fewest weight rows there can be. */
  public static final int LEAST_ROWS = PanelFormat.ROWS;

  private static final Gpr WEIGHTS = Gpr.RBX;
  static final Gpr TABLE = Gpr.R12;
  private static final Gpr OUTPUT = Gpr.R13;
  private static final Gpr ROWS = Gpr.R14;
  private static final Gpr PANELS = Gpr.R15;
  private static final Gpr TILE_ENTRY = Gpr.R9;
  private static final Gpr RECORDS = Gpr.R11;
  private static final Gpr OUTER = Gpr.R10;
  private static final Gpr INNER = Gpr.RAX;

  private static final int PANELS_AT = PanelCode.FRAME_BYTES;

  private final int rowBytes;
  private final int values;
  private final int strideAt;
  private final int nextAt;
  private final BlockFormat format;
  private final KernelBuilder k;
  private final Assembler a;
  private final PanelCode panel;

  private SweepCode(BlockFormat format, int values) {
    this.format = format;
    this.values = values;
    rowBytes = values / format.blockValues() * format.blockBytes();
    int panelBytes = 8 * PanelFormat.of(format).panelBlockBytes();
    strideAt = PANELS_AT + MOST_PANELS * panelBytes;
    nextAt = strideAt + 8;
    k = new KernelBuilder(nextAt + 8);
    a = k.a;
    panel = new PanelCode(format, rowBytes, k);
  }

  /**
   * Arguments: address of the first weight row, of a {@link TileTable}, of the first result, number
   * of weight rows, bytes between the results of neighbouring activation rows, address of the
   * weights that will be asked for next. If the weight rows are no multiple of 16, some before the
   * first are computed again: there must be 16 before the last.
   *
   * @param values in a row
   */
  public static byte[] assemble(BlockFormat format, int values) {
    return new SweepCode(format, values).assemble();
  }

  private byte[] assemble() {
    a.mov(WEIGHTS, Gpr.RDI);
    a.mov(TABLE, Gpr.RSI);
    a.mov(OUTPUT, Gpr.RDX);
    a.mov(ROWS, Gpr.RCX);
    a.mov(at(Gpr.RSP, strideAt), Gpr.R8);
    a.mov(at(Gpr.RSP, nextAt), Gpr.R9);
    divideAhead();
    panel.begin();
    Label top = new Label();
    Label end = new Label();
    a.bind(top);
    a.cmp(ROWS, 1);
    a.j(Condition.LESS, end);
    choosePanels();
    lookAhead();
    clear();
    k.repeat(values / 256, RECORDS, () -> record(8));
    if (values % 256 > 0) {
      record(values % 256 / 32);
    }
    store();
    a.sub(WEIGHTS, rowBytes);
    k.loop(
        PANELS,
        () -> {
          a.add(WEIGHTS, PanelFormat.ROWS * rowBytes);
          a.add(OUTPUT, 4 * PanelFormat.ROWS);
          a.sub(ROWS, PanelFormat.ROWS);
        });
    a.jmp(top);
    a.bind(end);
    return k.finish();
  }

  /**
   * What the product of a panel's block and all tiles asks for, in bytes: what the panel itself,
   * when it was made, has left of as many rows to come.
   */
  private static int bytesAhead(BlockFormat format) {
    int recordBytes = 256 / format.blockValues() * format.blockBytes();
    return Math.max(0, PanelFormat.ROWS * recordBytes - PanelCode.BYTES_AHEAD) / 8;
  }

  /**
   * How many cache lines those of the tiles that ask for weights ahead have to ask for with each
   * block.
   *
   * @param askingTiles a power of 2
   */
  public static int linesAhead(BlockFormat format, int askingTiles) {
    return Math.ceilDiv(bytesAhead(format) / askingTiles, 64);
  }

  /** Divides {@link #bytesAhead} among the tiles that ask. */
  private void divideAhead() {
    Gpr bytes = Gpr.RAX;
    Gpr tiles = Gpr.RCX;
    Label top = new Label();
    Label end = new Label();
    a.mov(bytes, bytesAhead(format));
    a.mov(tiles, at(TABLE, TileTable.ASKING_TILES));
    a.bind(top);
    a.cmp(tiles, 1);
    a.j(Condition.NOT_GREATER, end);
    a.shr(bytes, 1);
    a.shr(tiles, 1);
    a.jmp(top);
    a.bind(end);
    a.mov(at(TABLE, TileTable.BYTES_AHEAD), bytes);
  }

  /** To the rows after these panels, or what the caller does next. */
  private void lookAhead() {
    Label last = new Label();
    Label known = new Label();
    a.cmp(ROWS, MOST_PANELS * PanelFormat.ROWS);
    a.j(Condition.NOT_GREATER, last);
    a.lea(GemmCode.AHEAD, at(WEIGHTS, MOST_PANELS * PanelFormat.ROWS * rowBytes));
    a.jmp(known);
    a.bind(last);
    a.mov(GemmCode.AHEAD, at(Gpr.RSP, nextAt));
    a.bind(known);
  }

  /** As many as there are rows for; one that begins a little before if there are too few. */
  private void choosePanels() {
    Label enough = new Label();
    Label known = new Label();
    Label back = new Label();
    a.bind(back);
    a.cmp(ROWS, PanelFormat.ROWS - 1);
    a.j(Condition.GREATER, enough);
    a.sub(WEIGHTS, rowBytes);
    a.sub(OUTPUT, 4);
    a.add(ROWS, 1);
    a.jmp(back);
    a.bind(enough);
    a.mov(PANELS, ROWS);
    a.shr(PANELS, 4);
    a.cmp(PANELS, MOST_PANELS);
    a.j(Condition.NOT_GREATER, known);
    a.mov(PANELS, MOST_PANELS);
    a.bind(known);
  }

  /** Sums of nothing, and all tiles at their first block. */
  private void clear() {
    Vector zero = Vector.zmm(0);
    k.zero(zero);
    a.mov(GemmCode.SUMS, at(TABLE, TileTable.SUMS));
    eachTile(
        () -> {
          a.mov(GemmCode.TILE, at(TILE_ENTRY, TileTable.FIRST_BLOCK));
          a.mov(at(TILE_ENTRY, TileTable.NEXT_BLOCK), GemmCode.TILE);
          a.mov(Gpr.RCX, PANELS);
          k.loop(
              Gpr.RCX,
              () -> {
                a.mov(INNER, at(TILE_ENTRY, TileTable.TOKENS));
                k.loop(
                    INNER,
                    () -> {
                      a.v(VMOVUPS, at(GemmCode.SUMS), zero);
                      a.add(GemmCode.SUMS, 64);
                    });
              });
        });
  }

  private void record(int blocks) {
    a.mov(PanelCode.ROW, WEIGHTS);
    a.lea(PanelCode.PANEL, at(Gpr.RSP, PANELS_AT));
    a.mov(OUTER, PANELS);
    k.loop(OUTER, () -> panel.record(blocks));
    a.mov(GemmCode.SUMS, at(TABLE, TileTable.SUMS));
    eachTile(
        () -> {
          a.lea(GemmCode.PANEL, at(Gpr.RSP, PANELS_AT));
          a.mov(INNER, PANELS);
          k.loop(
              INNER,
              () -> {
                a.mov(GemmCode.TILE, at(TILE_ENTRY, TileTable.NEXT_BLOCK));
                a.mov(GemmCode.BLOCKS, blocks);
                a.call(at(TILE_ENTRY, TileTable.PRODUCT));
              });
          a.mov(at(TILE_ENTRY, TileTable.NEXT_BLOCK), GemmCode.TILE);
        });
    a.add(WEIGHTS, blocks * 32 / format.blockValues() * format.blockBytes());
  }

  private void store() {
    Gpr column = Gpr.RSI;
    Gpr panelColumn = Gpr.RDI;
    Gpr place = Gpr.RCX;
    Gpr panelsLeft = RECORDS;
    Vector sum = Vector.zmm(0);
    Gpr outputStride = Gpr.R8;
    a.mov(outputStride, at(Gpr.RSP, strideAt));
    a.mov(GemmCode.SUMS, at(TABLE, TileTable.SUMS));
    a.mov(column, OUTPUT);
    eachTile(
        () -> {
          a.mov(panelColumn, column);
          a.mov(panelsLeft, PANELS);
          k.loop(
              panelsLeft,
              () -> {
                a.mov(place, panelColumn);
                a.mov(INNER, at(TILE_ENTRY, TileTable.TOKENS));
                k.loop(
                    INNER,
                    () -> {
                      a.v(VMOVUPS, sum, at(GemmCode.SUMS));
                      a.v(VMOVUPS, at(place), sum);
                      a.add(GemmCode.SUMS, 64);
                      a.add(place, outputStride);
                    });
                a.add(panelColumn, 4 * PanelFormat.ROWS);
              });
          a.mov(INNER, at(TILE_ENTRY, TileTable.TOKENS));
          k.loop(INNER, () -> a.add(column, outputStride));
        });
  }

  private void eachTile(Runnable body) {
    a.lea(TILE_ENTRY, at(TABLE, TileTable.ENTRIES));
    a.mov(OUTER, at(TABLE, TileTable.TILES));
    k.loop(
        OUTER,
        () -> {
          body.run();
          a.add(TILE_ENTRY, TileTable.ENTRY_BYTES);
        });
  }
}
