// Products with one format of weights, FORMAT: y[rows][outputs] = x[rows][columns] * W^T, and rows
// of W themselves. NAME(x) is x with the format's name behind it.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(operation) JOIN(operation, FORMAT)

// ---- few rows: each warp takes two outputs and goes once through their weights --------------------

#define GEMV_WARPS 4
#define GEMV_OUTPUTS 2  // of a warp
#define GEMV_FLOATS 4096  // of x in shared memory, for all rows together

// A chunk of x takes 36 floats, so that lanes that read neighbouring chunks meet no bank twice.
template <class F, int ROWS>
DEVICE void multiply_rows(
    const u8* main, const u8* side, const float* x, float* y, int first_row, int rows, int columns,
    int outputs, u8* shared) {
  const int tile = GEMV_FLOATS / ROWS;
  const int padded_tile = tile / 32 * 36;
  float* xs = (float*)shared;
  int lane = threadIdx.x % WARP;
  int first = (blockIdx.x * GEMV_WARPS + threadIdx.x / WARP) * GEMV_OUTPUTS;
  u64 blocks = (columns + F::BLOCK - 1) / F::BLOCK;
  float sum[GEMV_OUTPUTS][ROWS];
#pragma unroll
  for (int o = 0; o < GEMV_OUTPUTS; o++)
#pragma unroll
    for (int r = 0; r < ROWS; r++) sum[o][r] = 0;

  for (int start = 0; start < columns; start += tile) {
    int count = min(tile, columns - start);
    int chunks = (count + 31) / 32;
    sync_block();
    for (int r = 0; r < ROWS; r++) {
      const float* row = x + (u64)min(first_row + r, rows - 1) * columns + start;
      for (int i = threadIdx.x; i < 32 * chunks; i += GEMV_WARPS * WARP) {
        xs[r * padded_tile + i + i / 32 * 4] = i < count ? row[i] : 0;
      }
    }
    sync_block();
    for (int c = lane; c < chunks; c += WARP) {
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const float4* xc = (const float4*)(xs + 36 * c + 16 * h);
        float total[ROWS];  // of x, for the offsets
        if (F::OFFSET) {
#pragma unroll
          for (int r = 0; r < ROWS; r++) {
            const float4* v = xc + r * (padded_tile / 4);
            total[r] = 0;
#pragma unroll
            for (int i = 0; i < 4; i++) total[r] += (v[i].x + v[i].y) + (v[i].z + v[i].w);
          }
        }
#pragma unroll
        for (int o = 0; o < GEMV_OUTPUTS; o++) {
          Half w;
          u64 output = min(first + o, outputs - 1);
          read_half_chunk<F>(main, side, output * blocks, start / 32 + c, h, w);
#pragma unroll
          for (int r = 0; r < ROWS; r++) {
            const float4* v = xc + r * (padded_tile / 4);
            float dot = 0;
#pragma unroll
            for (int i = 0; i < 4; i++) {
              float4 xi = v[i];
              dot += w.q[4 * i] * xi.x;
              dot += w.q[4 * i + 1] * xi.y;
              dot += w.q[4 * i + 2] * xi.z;
              dot += w.q[4 * i + 3] * xi.w;
            }
            sum[o][r] += F::SCALED ? w.scale * dot : dot;
            if (F::OFFSET) sum[o][r] += w.offset * total[r];
          }
        }
      }
    }
  }
#pragma unroll
  for (int o = 0; o < GEMV_OUTPUTS; o++) {
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      float s = sum[o][r];
#pragma unroll
      for (int mask = WARP / 2; mask > 0; mask /= 2) s += shuffle_xor(s, mask);
      if (lane == 0 && first + o < outputs && first_row + r < rows) {
        y[(u64)(first_row + r) * outputs + first + o] = s;
      }
    }
  }
}

#define PRODUCT_PARAMETERS \
  const u8 *main, const u8 *side, const float *x, float *y, int rows, int columns, int outputs

KERNEL NAME(gemv1)(PRODUCT_PARAMETERS) {
  SHARED_MEMORY(shared);
  multiply_rows<FORMAT, 1>(main, side, x, y, blockIdx.y, rows, columns, outputs, shared);
}

KERNEL NAME(gemv2)(PRODUCT_PARAMETERS) {
  SHARED_MEMORY(shared);
  multiply_rows<FORMAT, 2>(main, side, x, y, blockIdx.y * 2, rows, columns, outputs, shared);
}

KERNEL NAME(gemv4)(PRODUCT_PARAMETERS) {
  SHARED_MEMORY(shared);
  multiply_rows<FORMAT, 4>(main, side, x, y, blockIdx.y * 4, rows, columns, outputs, shared);
}

KERNEL NAME(gemv8)(PRODUCT_PARAMETERS) {
  SHARED_MEMORY(shared);
  multiply_rows<FORMAT, 8>(main, side, x, y, blockIdx.y * 8, rows, columns, outputs, shared);
}

// ---- many rows: tiles of bfloat16 on the tensor cores ----------------------------------------------

#define TILE_K 32
#define TILE_PITCH 20  // words (pairs of bfloat16) per row: the 8 x 4 words of a fragment meet no bank twice

// A block computes ROWS x OUTPUTS values; a warp a part of (ROWS / 2) x 32 of them. While the tensor
// cores multiply one step of 32 columns, the next one is on its way from memory to registers. Where
// rows are gathered, row i of the tile is order[i] of y, and order[i] / share of x.
template <class F, int ROWS, int OUTPUTS, bool GATHERED>
DEVICE void multiply_tiled(
    const u8* main, const u8* side, const float* x, float* y, int first_row, int rows, int columns,
    int outputs, const int* order, int share, u8* shared) {
  const int threads = OUTPUTS / 32 * 2 * WARP;
  const int row_tiles = ROWS / 2 / 16;
  const int halves = OUTPUTS * 2 / threads;           // of weight chunks that a thread loads
  const int quads = ROWS * TILE_K / 4 / threads;      // of x that a thread loads
  u32* xs = (u32*)shared;                             // [ROWS][TILE_PITCH]
  u32* ws = xs + ROWS * TILE_PITCH;                   // [OUTPUTS][TILE_PITCH]
  int first_output = blockIdx.x * OUTPUTS;
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int g = lane / 4;
  int t = lane % 4;
  int warp_row = warp % 2 * (ROWS / 2);
  int warp_output = warp / 2 * 32;
  u64 blocks = (columns + F::BLOCK - 1) / F::BLOCK;
  bool aligned = columns % 4 == 0;

  float sum[row_tiles][4][4];
#pragma unroll
  for (int i = 0; i < row_tiles; i++)
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
      for (int k = 0; k < 4; k++) sum[i][j][k] = 0;

  u32 next_w[halves][8];
  u32 next_x[quads][2];

  for (int start = -TILE_K; start < columns; start += TILE_K) {
    int ahead = start + TILE_K;
    if (start >= 0) {
      sync_block();  // all have multiplied the step before
#pragma unroll
      for (int i = 0; i < halves; i++) {
        int index = i * threads + threadIdx.x;
        u32* target = ws + index / 2 * TILE_PITCH + index % 2 * 8;
#pragma unroll
        for (int j = 0; j < 8; j++) target[j] = next_w[i][j];
      }
#pragma unroll
      for (int i = 0; i < quads; i++) {
        int index = i * threads + threadIdx.x;
        u32* target = xs + index / 8 * TILE_PITCH + index % 8 * 2;
        target[0] = next_x[i][0];
        target[1] = next_x[i][1];
      }
      sync_block();
    }
    if (ahead < columns) {
#pragma unroll
      for (int i = 0; i < halves; i++) {
        int index = i * threads + threadIdx.x;
        Half w;
        u64 output = min(first_output + index / 2, outputs - 1);
        read_half_chunk<F>(main, side, output * blocks, ahead / 32, index % 2, w);
#pragma unroll
        for (int j = 0; j < 8; j++) {
          next_w[i][j] = floats_to_bf16x2(weight<F>(w, 2 * j), weight<F>(w, 2 * j + 1));
        }
      }
#pragma unroll
      for (int i = 0; i < quads; i++) {
        int index = i * threads + threadIdx.x;
        int row = first_row + index / 8;
        int column = ahead + index % 8 * 4;
        float4 v = make_float4(0, 0, 0, 0);
        if (row < rows) {
          const float* p = x + (u64)(GATHERED ? order[row] / share : row) * columns + column;
          if (aligned) {
            if (column < columns) v = *(const float4*)p;
          } else {
            if (column < columns) v.x = p[0];
            if (column + 1 < columns) v.y = p[1];
            if (column + 2 < columns) v.z = p[2];
            if (column + 3 < columns) v.w = p[3];
          }
        }
        next_x[i][0] = floats_to_bf16x2(v.x, v.y);
        next_x[i][1] = floats_to_bf16x2(v.z, v.w);
      }
    }
    if (start >= 0) {
#pragma unroll
      for (int k = 0; k < TILE_K / 2; k += 8) {  // in words
        u32 b[4][2];
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const u32* p = ws + (warp_output + 8 * j + g) * TILE_PITCH + k + t;
          b[j][0] = p[0];
          b[j][1] = p[4];
        }
#pragma unroll
        for (int i = 0; i < row_tiles; i++) {
          const u32* p = xs + (warp_row + 16 * i + g) * TILE_PITCH + k + t;
          u32 a[4] = {p[0], p[8 * TILE_PITCH], p[4], p[8 * TILE_PITCH + 4]};
#pragma unroll
          for (int j = 0; j < 4; j++) multiply_tiles(sum[i][j], a, b[j]);
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < row_tiles; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int row = first_row + warp_row + 16 * i + g + k / 2 * 8;
        int output = first_output + warp_output + 8 * j + 2 * t + k % 2;
        if (row < rows && output < outputs) {
          y[(u64)(GATHERED ? order[row] : row) * outputs + output] = sum[i][j][k];
        }
      }
    }
  }
}

KERNEL NAME(gemm64)(PRODUCT_PARAMETERS) {
  SHARED_MEMORY(shared);
  multiply_tiled<FORMAT, 64, 64, false>(main, side, x, y, blockIdx.y * 64, rows, columns, outputs, 0, 1, shared);
}

KERNEL NAME(gemm128)(PRODUCT_PARAMETERS) {
  SHARED_MEMORY(shared);
  multiply_tiled<FORMAT, 128, 128, false>(main, side, x, y, blockIdx.y * 128, rows, columns, outputs, 0, 1, shared);
}

// ---- experts: of each the planes are in a table, main and side ---------------------------------------

DEVICE const u8* plane(u64 address) { return address ? (const u8*)FROM_TABLE(address) : 0; }

// A row of y for each choice, of the x of its token; `share` choices have the same row of x.
KERNEL NAME(expert_gemv)(
    const Planes* experts, const int* choices, const float* x, float* y, int share, int columns,
    int outputs) {
  SHARED_MEMORY(shared);
  Planes planes = experts[choices[blockIdx.y]];
  multiply_rows<FORMAT, 1>(
      plane(planes.main), plane(planes.side), x + (u64)(blockIdx.y / share) * columns,
      y + (u64)blockIdx.y * outputs, 0, 1, columns, outputs, shared);
}

// The same for many choices, grouped by expert: a block for each tile, empty ones included.
KERNEL NAME(expert_gemm)(
    const Planes* experts, const ExpertTile* tiles, const int* order, const float* x, float* y,
    int share, int columns, int outputs) {
  SHARED_MEMORY(shared);
  ExpertTile tile = tiles[blockIdx.y];
  if (tile.rows == 0) return;
  Planes planes = experts[tile.expert];
  multiply_tiled<FORMAT, 64, 64, true>(
      plane(planes.main), plane(planes.side), x, y, 0, tile.rows, columns, outputs,
      order + tile.first, share, shared);
}

// ---- rows of the matrix -----------------------------------------------------------------------------

// y[i] = W[ids[i]], a block for each i.
KERNEL NAME(embed)(const u8* main, const u8* side, const int* ids, float* y, int columns) {
  u64 blocks = (columns + FORMAT::BLOCK - 1) / FORMAT::BLOCK;
  float* row = y + (u64)blockIdx.x * columns;
  for (int index = threadIdx.x; index < (columns + 15) / 16; index += blockDim.x) {
    Half w;
    read_half_chunk<FORMAT>(main, side, ids[blockIdx.x] * blocks, index / 2, index % 2, w);
    for (int i = 0; i < 16; i++) {
      if (16 * index + i < columns) row[16 * index + i] = weight<FORMAT>(w, i);
    }
  }
}

// Rows of W from the first on in bfloat16, a block for each; `padded` values, a multiple of 32.
KERNEL NAME(panel)(const u8* main, const u8* side, int first, u32* target, int padded) {
  u64 blocks = padded / FORMAT::BLOCK;
  u32* row = target + (u64)blockIdx.x * (padded / 2);
  for (int index = threadIdx.x; index < padded / 16; index += blockDim.x) {
    Half w;
    read_half_chunk<FORMAT>(main, side, (first + (u64)blockIdx.x) * blocks, index / 2, index % 2, w);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      row[8 * index + i] = floats_to_bf16x2(weight<FORMAT>(w, 2 * i), weight<FORMAT>(w, 2 * i + 1));
    }
  }
}
