// Attention over the cache, for few queries of a sequence: see prompt_attention.cu for many.

// ---- storing: a block for each row and key/value head ------------------------------------------------

template <class P>
DEVICE void store_rows(
    const float* keys, const float* values, const Row* rows, const u64* pages, u64 layer_offset,
    int kv_heads, int dim) {
  Row row = rows[blockIdx.x];
  if (row.last_key < 0) return;
  int kv_head = blockIdx.y;
  u64 vector = ((u64)blockIdx.x * kv_heads + kv_head) * dim;
  u8* page = page_address(pages, row.table, row.last_key / PAGE, layer_offset);
  P::store(page, kv_heads, kv_head, dim, row.last_key % PAGE, keys + vector, values + vector);
}

#define STORE_PARAMETERS                                                                    \
  const float *keys, const float *values, const Row *rows, const u64 *pages, u64 layer_offset, \
      int kv_heads, int dim

KERNEL store_F32(STORE_PARAMETERS) {
  store_rows<PagesF32>(keys, values, rows, pages, layer_offset, kv_heads, dim);
}

KERNEL store_F16(STORE_PARAMETERS) {
  store_rows<PagesF16>(keys, values, rows, pages, layer_offset, kv_heads, dim);
}

KERNEL store_Q8_0(STORE_PARAMETERS) {
  store_rows<PagesQ8_0>(keys, values, rows, pages, layer_offset, kv_heads, dim);
}

KERNEL store_Q4_0(STORE_PARAMETERS) {
  store_rows<PagesQ4_0>(keys, values, rows, pages, layer_offset, kv_heads, dim);
}

// ---- attention: blocks of 128 threads go through the pages once for up to 8 queries ------------------

#define QUERIES 8
#define ATTENTION_THREADS 128

// Softmax with a running maximum (Milakov and Gimelshein 2018), page by page (Dao et al. 2022). The
// grid is row tiles x key/value heads x (splits of the keys x chunks of 8 queries). With several
// splits, each writes its part of the sum with its maximum and its total; combine() joins them.
// Shared memory: queries[8][dim], scores[2][8][64], weights[8][64], correction[8].
template <class P>
DEVICE void attend(
    const float* queries, const Row* rows, const RowTile* tiles, const u64* pages, u64 layer_offset,
    float* output, float* partial, int heads, int kv_heads, int dim, float scale, int splits,
    int chunks, u8* shared) {
  const float NONE = minus_infinity();
  RowTile tile = tiles[blockIdx.x];
  int kv_head = blockIdx.y;
  int split = blockIdx.z / chunks;
  int group = heads / kv_heads;
  int first_query = blockIdx.z % chunks * QUERIES;
  int count = min(QUERIES, tile.rows * group - first_query);
  float* qs = (float*)shared;
  float* scores = qs + QUERIES * dim;
  float* weights = scores + 2 * QUERIES * PAGE;
  float* correction = weights + QUERIES * PAGE;
  int thread = threadIdx.x;
  int warp = thread / WARP;
  int lane = thread % WARP;

  for (int k = 0; k < QUERIES; k++) {
    int query = first_query + k;
    u64 row = tile.first_row + query / group;
    int head = kv_head * group + query % group;
    for (int d = thread; d < dim; d += ATTENTION_THREADS) {
      qs[k * dim + d] = k < count ? queries[(row * heads + head) * dim + d] * scale : 0;
    }
  }

  int first_key = rows[tile.first_row + first_query / group].first_key;
  int last_key = rows[tile.first_row + (first_query + count - 1) / group].last_key;
  int table = rows[tile.first_row].table;
  int first_page = first_key / PAGE;
  int page_count = last_key / PAGE + 1 - first_page;
  int of_split = (page_count + splits - 1) / splits;
  int page = first_page + split * of_split;
  int end_page = min(page + of_split, first_page + page_count);

  float sum[QUERIES][4];  // components thread, thread + 128, ...
#pragma unroll
  for (int k = 0; k < QUERIES; k++)
#pragma unroll
    for (int j = 0; j < 4; j++) sum[k][j] = 0;
  float highest[2] = {NONE, NONE};  // of the warp's two queries
  float total[2] = {0, 0};

  for (; page < end_page; page++) {
    const u8* memory = page_address(pages, table, page, layer_offset);
    sync_block();  // queries are there; weights of the page before have been used
    {
      int slot = thread % PAGE;
      int part = thread / PAGE;
      int middle = (dim + 1) / 2;
      float dot[QUERIES];
#pragma unroll
      for (int k = 0; k < QUERIES; k++) dot[k] = 0;
      int end = part ? dim : middle;
#pragma unroll 8
      for (int d = part ? middle : 0; d < end; d++) {
        float key = P::key(memory, kv_heads, kv_head, dim, d, slot);
#pragma unroll
        for (int k = 0; k < QUERIES; k++) dot[k] += qs[k * dim + d] * key;
      }
#pragma unroll
      for (int k = 0; k < QUERIES; k++) scores[(part * QUERIES + k) * PAGE + slot] = dot[k];
    }
    sync_block();
#pragma unroll
    for (int j = 0; j < 2; j++) {
      int k = 2 * warp + j;
      Row row = rows[tile.first_row + min(first_query + k, tile.rows * group - 1) / group];
      float s[2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        int slot = lane + i * WARP;
        int key = page * PAGE + slot;
        bool seen = k < count && key >= row.first_key && key <= row.last_key;
        s[i] = seen ? scores[k * PAGE + slot] + scores[(QUERIES + k) * PAGE + slot] : NONE;
      }
      float top = fmaxf(s[0], s[1]);
#pragma unroll
      for (int mask = WARP / 2; mask > 0; mask /= 2) top = fmaxf(top, shuffle_xor(top, mask));
      float now = fmaxf(highest[j], top);
      float factor = highest[j] == NONE ? 0 : expf(highest[j] - now);
      float added = 0;
#pragma unroll
      for (int i = 0; i < 2; i++) {
        float w = s[i] == NONE ? 0 : expf(s[i] - now);
        weights[k * PAGE + lane + i * WARP] = w;
        added += w;
      }
#pragma unroll
      for (int mask = WARP / 2; mask > 0; mask /= 2) added += shuffle_xor(added, mask);
      total[j] = total[j] * factor + added;
      highest[j] = now;
      if (lane == 0) correction[k] = factor;
    }
    sync_block();
    int slot = max(0, first_key - page * PAGE);
    int end_slot = min(PAGE, last_key + 1 - page * PAGE);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      int d = thread + j * ATTENTION_THREADS;
      if (d < dim) {
#pragma unroll
        for (int k = 0; k < QUERIES; k++) sum[k][j] *= correction[k];
#pragma unroll 4
        for (int i = slot; i < end_slot; i++) {
          float value = P::value(memory, kv_heads, kv_head, dim, d, i);
#pragma unroll
          for (int k = 0; k < QUERIES; k++) sum[k][j] += weights[k * PAGE + i] * value;
        }
      }
    }
  }

  sync_block();
  if (lane == 0) {
#pragma unroll
    for (int j = 0; j < 2; j++) {
      scores[2 * warp + j] = highest[j];
      weights[2 * warp + j] = total[j];
    }
  }
  sync_block();
#pragma unroll
  for (int k = 0; k < QUERIES; k++) {
    if (k < count) {
      int query = first_query + k;
      u64 row = tile.first_row + query / group;
      u64 vector = row * heads + kv_head * group + query % group;
      float* part = partial + (vector * splits + split) * (dim + 2);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        int d = thread + j * ATTENTION_THREADS;
        if (d < dim) {
          if (splits == 1) {
            output[vector * dim + d] = sum[k][j] / weights[k];
          } else {
            part[d] = sum[k][j];
          }
        }
      }
      if (splits > 1 && thread == 0) {
        part[dim] = scores[k];
        part[dim + 1] = weights[k];
      }
    }
  }
}

#define ATTENTION_PARAMETERS                                                                       \
  const float *queries, const Row *rows, const RowTile *tiles, const u64 *pages, u64 layer_offset, \
      float *output, float *partial, int heads, int kv_heads, int dim, float scale, int splits,    \
      int chunks

KERNEL attention_F32(ATTENTION_PARAMETERS) {
  SHARED_MEMORY(shared);
  attend<PagesF32>(queries, rows, tiles, pages, layer_offset, output, partial, heads, kv_heads, dim,
                   scale, splits, chunks, shared);
}

KERNEL attention_F16(ATTENTION_PARAMETERS) {
  SHARED_MEMORY(shared);
  attend<PagesF16>(queries, rows, tiles, pages, layer_offset, output, partial, heads, kv_heads, dim,
                   scale, splits, chunks, shared);
}

KERNEL attention_Q8_0(ATTENTION_PARAMETERS) {
  SHARED_MEMORY(shared);
  attend<PagesQ8_0>(queries, rows, tiles, pages, layer_offset, output, partial, heads, kv_heads, dim,
                    scale, splits, chunks, shared);
}

KERNEL attention_Q4_0(ATTENTION_PARAMETERS) {
  SHARED_MEMORY(shared);
  attend<PagesQ4_0>(queries, rows, tiles, pages, layer_offset, output, partial, heads, kv_heads, dim,
                    scale, splits, chunks, shared);
}

// Joins the parts of the splits, a block for each row and query head. Each part has its components,
// its maximum and its total.
KERNEL combine(const float* partial, float* output, int dim, int splits) {
  const float* parts = partial + (u64)blockIdx.x * splits * (dim + 2);
  float highest = minus_infinity();
  for (int s = 0; s < splits; s++) highest = fmaxf(highest, parts[s * (dim + 2) + dim]);
  for (int d = threadIdx.x; d < dim; d += blockDim.x) {
    float sum = 0;
    float total = 0;
    for (int s = 0; s < splits; s++) {
      const float* part = parts + s * (dim + 2);
      if (part[dim + 1] > 0) {
        float factor = expf(part[dim] - highest);
        sum += factor * part[d];
        total += factor * part[dim + 1];
      }
    }
    output[(u64)blockIdx.x * dim + d] = sum / total;
  }
}
