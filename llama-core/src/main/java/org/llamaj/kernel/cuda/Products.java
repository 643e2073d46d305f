package org.llamaj.kernel.cuda;

import java.util.function.ToLongFunction;

/** The kernels of one weight format: products with matrices of it, and rows of them. */
final class Products {
  /** What {@code matrix.cu} is made for. */
  private static final int GEMV_THREADS = 128;

  private static final int GEMV_OUTPUTS = 8; // of a block
  private static final int GEMV_SHARED = 4096 / 32 * 36 * Float.BYTES;
  private static final int MOST_GEMV_ROWS = 8;

  /** Rows of a tile of an expert's. */
  static final int EXPERT_TILE = 64;

  private static final int EMBED_THREADS = 128;

  private final WeightFormat format;
  private final int multiprocessors;
  private final long gemv1;
  private final long gemv2;
  private final long gemv4;
  private final long gemv8;
  private final long gemm64;
  private final long gemm128;
  private final long expertGemv;
  private final long expertGemm;
  private final long embed;
  private final long panel;

  /**
   * @param kernel finds a kernel by its name
   */
  Products(WeightFormat format, int multiprocessors, ToLongFunction<String> kernel) {
    this.format = format;
    this.multiprocessors = multiprocessors;
    gemv1 = kernel.applyAsLong("gemv1_" + format);
    gemv2 = kernel.applyAsLong("gemv2_" + format);
    gemv4 = kernel.applyAsLong("gemv4_" + format);
    gemv8 = kernel.applyAsLong("gemv8_" + format);
    gemm64 = kernel.applyAsLong("gemm64_" + format);
    gemm128 = kernel.applyAsLong("gemm128_" + format);
    expertGemv = kernel.applyAsLong("expert_gemv_" + format);
    expertGemm = kernel.applyAsLong("expert_gemm_" + format);
    embed = kernel.applyAsLong("embed_" + format);
    panel = kernel.applyAsLong("panel_" + format);
  }

  WeightFormat format() {
    return format;
  }

  /** Whether products are not rounded to bfloat16, however many rows. */
  boolean isExact() {
    return format == WeightFormat.F32;
  }

  /** y = x W^T. */
  void project(Launches launches, CudaWeightMatrix.OnDevice w, long x, long y, int rows) {
    if (rows <= MOST_GEMV_ROWS || isExact()) {
      few(launches, w, x, y, rows);
    } else if (tiles(rows, 128) * tiles(w.outputs(), 128) >= multiprocessors) {
      tiled(launches, gemm128, 128, w, x, y, rows);
    } else {
      tiled(launches, gemm64, 64, w, x, y, rows);
    }
  }

  private void few(Launches launches, CudaWeightMatrix.OnDevice w, long x, long y, int rows) {
    int atOnce = rows == 1 ? 1 : rows == 2 ? 2 : rows <= 4 ? 4 : MOST_GEMV_ROWS;
    long kernel = atOnce == 1 ? gemv1 : atOnce == 2 ? gemv2 : atOnce == 4 ? gemv4 : gemv8;
    int blocks = tiles(w.outputs(), GEMV_OUTPUTS);
    launches.add(kernel, blocks, tiles(rows, atOnce), 1, GEMV_THREADS, GEMV_SHARED);
    parameters(launches, w, x, y, rows);
  }

  private static void tiled(
      Launches launches,
      long kernel,
      int tile,
      CudaWeightMatrix.OnDevice w,
      long x,
      long y,
      int rows) {
    launches.add(
        kernel, tiles(w.outputs(), tile), tiles(rows, tile), 1, 2 * tile, gemmShared(tile));
    parameters(launches, w, x, y, rows);
  }

  private static void parameters(
      Launches launches, CudaWeightMatrix.OnDevice w, long x, long y, int rows) {
    launches
        .with(w.main())
        .with(w.side())
        .with(x)
        .with(y)
        .with(rows)
        .with(w.inputs())
        .with(w.outputs());
  }

  private static int gemmShared(int tile) {
    return 2 * tile * 20 * Integer.BYTES;
  }

  /**
   * A row of y for each choice of an expert.
   *
   * @param planes table of the experts' weights
   * @param choices the experts
   * @param share how many choices, one after another, have the same row of x
   */
  void projectChoices(
      Launches launches,
      long planes,
      long choices,
      long x,
      long y,
      int share,
      int count,
      int inputs,
      int outputs) {
    launches
        .add(expertGemv, tiles(outputs, GEMV_OUTPUTS), count, 1, GEMV_THREADS, GEMV_SHARED)
        .with(planes)
        .with(choices)
        .with(x)
        .with(y)
        .with(share)
        .with(inputs)
        .with(outputs);
  }

  /**
   * The same for choices that are grouped by expert.
   *
   * @param tiles table of up to {@value #EXPERT_TILE} choices of the same expert
   * @param order the choices, by expert
   * @param tileCount how many tiles, empty ones included
   */
  void projectTiles(
      Launches launches,
      long planes,
      long tiles,
      long order,
      long x,
      long y,
      int share,
      int tileCount,
      int inputs,
      int outputs) {
    launches
        .add(
            expertGemm,
            tiles(outputs, EXPERT_TILE),
            tileCount,
            1,
            2 * EXPERT_TILE,
            gemmShared(EXPERT_TILE))
        .with(planes)
        .with(tiles)
        .with(order)
        .with(x)
        .with(y)
        .with(share)
        .with(inputs)
        .with(outputs);
  }

  /** Rows of the matrix. */
  void embed(Launches launches, CudaWeightMatrix.OnDevice table, long ids, long y, int count) {
    launches
        .add(embed, count, 1, 1, EMBED_THREADS, 0)
        .with(table.main())
        .with(table.side())
        .with(ids)
        .with(y)
        .with(table.inputs());
  }

  /**
   * Some rows of the matrix in bfloat16.
   *
   * @param inputs of a row, padded with zeros
   */
  void panel(
      Launches launches,
      CudaWeightMatrix.OnDevice w,
      int first,
      int count,
      long target,
      int inputs) {
    launches
        .add(panel, count, 1, 1, EMBED_THREADS, 0)
        .with(w.main())
        .with(w.side())
        .with(first)
        .with(target)
        .with(inputs);
  }

  private static int tiles(int count, int tile) {
    return Math.ceilDiv(count, tile);
  }
}
