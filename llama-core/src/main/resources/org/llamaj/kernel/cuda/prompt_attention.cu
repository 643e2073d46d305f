// Attention of many neighbouring queries over the cache, on the tensor cores (Dao 2023): a block of
// four warps takes 64 queries, 16 each, through the pages. Scores and weights stay in registers.
// Queries, keys, weights and values are rounded to half precision, sums are not.

#define PROMPT_QUERIES 64  // of a block
#define PROMPT_THREADS 128
#define PROMPT_STEPS 8  // of 16 components: heads of up to 128
#define KEY_PITCH (PAGE + 8)  // words: lanes that read together meet no bank twice

DEVICE int value_pitch(int dim) { return (dim + 31) / 32 * 32 + 8; }  // in words

// Pairs of neighbouring halves of two rows: first with first, and so on.
DEVICE void interleave(const uint4& low, const uint4& high, u32* target) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    u32 l = word(low, i);
    u32 h = word(high, i);
    target[2 * i] = (l & 0xFFFFu) | h << 16;
    target[2 * i + 1] = l >> 16 | (h & 0xFFFF0000u);
  }
}

// How keys and values get to shared memory: words of two neighbouring components of a key,
// [dim / 2][KEY_PITCH], and of the same component of two neighbouring values, [32][value_pitch].
// Values behind `last_slot` become 0: what lies there is not known.

// Half-precision pages: copied, 8 numbers of two rows at a time.
DEVICE void stage(
    const PagesF16*, const u8* page, int kv_heads, int kv_head, int dim, int last_slot, u32* keys,
    u32* values) {
  const u16* from_keys = (const u16*)page + (u64)kv_head * dim * PAGE;
  const u16* from_values = (const u16*)page + (u64)(kv_heads + kv_head) * PAGE * dim;
  for (int i = threadIdx.x; i < dim / 2 * (PAGE / 8); i += PROMPT_THREADS) {
    int pair = i / (PAGE / 8);
    int slot = i % (PAGE / 8) * 8;
    const u8* p = (const u8*)(from_keys + 2 * pair * PAGE + slot);
    interleave(load16(p), load16(p + 2 * PAGE), keys + pair * KEY_PITCH + slot);
  }
  int eights = dim / 8;
  uint4 none = {0, 0, 0, 0};
  for (int i = threadIdx.x; i < PAGE / 2 * eights; i += PROMPT_THREADS) {
    int pair = i / eights;
    int d = i % eights * 8;
    const u8* p = (const u8*)(from_values + 2 * pair * dim + d);
    interleave(2 * pair <= last_slot ? load16(p) : none,
               2 * pair < last_slot ? load16(p + 2 * dim) : none,
               values + pair * value_pitch(dim) + d);
  }
}

// Quantised pages: decoded, a word at a time.
template <int BYTES>
DEVICE void stage(
    const QuantizedPages<BYTES>*, const u8* page, int kv_heads, int kv_head, int dim, int last_slot,
    u32* keys, u32* values) {
  typedef QuantizedPages<BYTES> P;
  for (int i = threadIdx.x; i < dim / 2 * PAGE; i += PROMPT_THREADS) {
    int pair = i / PAGE;
    int slot = i % PAGE;
    keys[pair * KEY_PITCH + slot] =
        floats_to_half2(P::key(page, kv_heads, kv_head, dim, 2 * pair, slot),
                        P::key(page, kv_heads, kv_head, dim, 2 * pair + 1, slot));
  }
  for (int i = threadIdx.x; i < PAGE / 2 * dim; i += PROMPT_THREADS) {
    int pair = i / dim;
    int d = i % dim;
    float first = 2 * pair <= last_slot ? P::value(page, kv_heads, kv_head, dim, d, 2 * pair) : 0;
    float second = 2 * pair < last_slot ? P::value(page, kv_heads, kv_head, dim, d, 2 * pair + 1) : 0;
    values[pair * value_pitch(dim) + d] = floats_to_half2(first, second);
  }
}

// The grid is row tiles x key/value heads x chunks of 64 queries; the tiles that see most come first.
// Each lane holds, with g = lane / 4 and t = lane % 4, parts of queries g and g + 8 of its warp.
// Heads are a multiple of 16 components, at most 128. Shared memory: keys, then values.
template <class P>
DEVICE void attend_prompt(
    const float* queries, const Row* rows, const RowTile* tiles, const u64* pages, u64 layer_offset,
    float* output, int heads, int kv_heads, int dim, float scale, u8* shared) {
  const float NONE = minus_infinity();
  RowTile tile = tiles[gridDim.x - 1 - blockIdx.x];
  int kv_head = blockIdx.y;
  int group = heads / kv_heads;
  int first_query = blockIdx.z * PROMPT_QUERIES;
  int count = min(PROMPT_QUERIES, tile.rows * group - first_query);
  if (count <= 0) return;
  int steps = dim / 16;
  u32* keys = (u32*)shared;
  u32* values = keys + dim / 2 * KEY_PITCH;
  int lane = threadIdx.x % WARP;
  int g = lane / 4;
  int t = lane % 4;
  int own[2];  // the lane's queries
  int first_key[2];
  int last_key[2];
  u64 vector[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    own[h] = threadIdx.x / WARP * 16 + g + 8 * h;
    int query = first_query + min(own[h], count - 1);
    int row = tile.first_row + query / group;
    first_key[h] = rows[row].first_key;
    last_key[h] = rows[row].last_key;
    vector[h] = (u64)row * heads + kv_head * group + query % group;
  }
  // To the base of 2, whose powers are faster.
  float factor = scale * 1.4426950408889634f;
  u32 q[PROMPT_STEPS][4];
#pragma unroll
  for (int s = 0; s < PROMPT_STEPS; s++) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      q[s][i] = 0;
      if (s < steps) {
        const float* p = queries + vector[i % 2] * dim + 16 * s + 2 * t + i / 2 * 8;
        q[s][i] = floats_to_half2(p[0] * factor, p[1] * factor);
      }
    }
  }
  float sum[2 * PROMPT_STEPS][4];
#pragma unroll
  for (int j = 0; j < 2 * PROMPT_STEPS; j++)
#pragma unroll
    for (int i = 0; i < 4; i++) sum[j][i] = 0;
  float highest[2] = {NONE, NONE};
  float total[2] = {0, 0};

  int from = rows[tile.first_row + first_query / group].first_key;
  Row last = rows[tile.first_row + (first_query + count - 1) / group];
  for (int page = from / PAGE; page <= last.last_key / PAGE; page++) {
    sync_block();  // all have used the page before
    stage((const P*)0, page_address(pages, last.table, page, layer_offset), kv_heads, kv_head, dim,
          last.last_key - page * PAGE, keys, values);
    sync_block();
    float score[PAGE / 8][4];
#pragma unroll
    for (int j = 0; j < PAGE / 8; j++) {
#pragma unroll
      for (int i = 0; i < 4; i++) score[j][i] = 0;
#pragma unroll
      for (int s = 0; s < PROMPT_STEPS; s++) {
        if (s < steps) {
          const u32* p = keys + (8 * s + t) * KEY_PITCH + 8 * j + g;
          u32 b[2] = {p[0], p[4 * KEY_PITCH]};
          multiply_half_tiles(score[j], q[s], b);
        }
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
        int key = page * PAGE + 8 * j + 2 * t + i % 2;
        if (key < first_key[i / 2] || key > last_key[i / 2]) score[j][i] = NONE;
      }
    }
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float top = NONE;
#pragma unroll
      for (int j = 0; j < PAGE / 8; j++) {
        top = fmaxf(top, fmaxf(score[j][2 * h], score[j][2 * h + 1]));
      }
      top = fmaxf(top, shuffle_xor(top, 1));
      top = fmaxf(top, shuffle_xor(top, 2));
      float now = fmaxf(highest[h], top);
      float correction = highest[h] == NONE ? 0 : exp2f(highest[h] - now);
      float added = 0;
#pragma unroll
      for (int j = 0; j < PAGE / 8; j++) {
#pragma unroll
        for (int i = 2 * h; i < 2 * h + 2; i++) {
          score[j][i] = score[j][i] == NONE ? 0 : exp2f(score[j][i] - now);
          added += score[j][i];
        }
      }
      total[h] = total[h] * correction + added;
      highest[h] = now;
#pragma unroll
      for (int j = 0; j < 2 * PROMPT_STEPS; j++) {
        sum[j][2 * h] *= correction;
        sum[j][2 * h + 1] *= correction;
      }
    }
#pragma unroll
    for (int k = 0; k < PAGE / 16; k++) {
      u32 a[4] = {floats_to_half2(score[2 * k][0], score[2 * k][1]),
                  floats_to_half2(score[2 * k][2], score[2 * k][3]),
                  floats_to_half2(score[2 * k + 1][0], score[2 * k + 1][1]),
                  floats_to_half2(score[2 * k + 1][2], score[2 * k + 1][3])};
#pragma unroll
      for (int j = 0; j < 2 * PROMPT_STEPS; j++) {
        if (j < 2 * steps) {
          const u32* p = values + (8 * k + t) * value_pitch(dim) + 8 * j + g;
          u32 b[2] = {p[0], p[4 * value_pitch(dim)]};
          multiply_half_tiles(sum[j], a, b);
        }
      }
    }
  }
#pragma unroll
  for (int h = 0; h < 2; h++) {
    float all = total[h];
    all += shuffle_xor(all, 1);
    all += shuffle_xor(all, 2);
    if (own[h] < count) {
#pragma unroll
      for (int j = 0; j < 2 * PROMPT_STEPS; j++) {
        if (j < 2 * steps) {
          float* p = output + vector[h] * dim + 8 * j + 2 * t;
          p[0] = sum[j][2 * h] / all;
          p[1] = sum[j][2 * h + 1] / all;
        }
      }
    }
  }
}

#define PROMPT_PARAMETERS                                                                          \
  const float *queries, const Row *rows, const RowTile *tiles, const u64 *pages, u64 layer_offset, \
      float *output, int heads, int kv_heads, int dim, float scale

KERNEL prompt_attention_F16(PROMPT_PARAMETERS) {
  SHARED_MEMORY(shared);
  attend_prompt<PagesF16>(queries, rows, tiles, pages, layer_offset, output, heads, kv_heads, dim,
                          scale, shared);
}

KERNEL prompt_attention_Q8_0(PROMPT_PARAMETERS) {
  SHARED_MEMORY(shared);
  attend_prompt<PagesQ8_0>(queries, rows, tiles, pages, layer_offset, output, heads, kv_heads, dim,
                           scale, shared);
}

KERNEL prompt_attention_Q4_0(PROMPT_PARAMETERS) {
  SHARED_MEMORY(shared);
  attend_prompt<PagesQ4_0>(queries, rows, tiles, pages, layer_offset, output, heads, kv_heads, dim,
                           scale, shared);
}
