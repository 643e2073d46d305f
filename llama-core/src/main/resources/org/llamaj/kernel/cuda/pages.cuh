// The key-value cache: pages of 64 tokens. A page holds keys, transposed, and values; see
// AttentionShape and QuantizedPage for the layouts.

#define PAGE 64

// Of each row: the first and the last key it sees, and where its page table begins, shifted so that
// the index of a page can be added. A row is stored where its last key is.
struct Row {
  int first_key;
  int last_key;
  int table;
  int unused;
};

// Neighbouring rows of one sequence that share their way through the cache.
struct RowTile {
  int first_row;
  int rows;
};

DEVICE float minus_infinity() { return bits_to_float(0xFF800000u); }

DEVICE u8* page_address(const u64* pages, int table, int page, u64 layer_offset) {
  return (u8*)FROM_TABLE(pages[table + page]) + layer_offset;
}

// How keys and values lie in a page, by cache type.

struct CacheF32 {
  typedef float Element;
  DEVICE float load(const float* p) { return *p; }
  DEVICE float pack(float v) { return v; }
};

struct CacheF16 {
  typedef u16 Element;
  DEVICE float load(const u16* p) { return half_to_float(*p); }
  DEVICE u16 pack(float v) { return float_to_half(v); }
};

template <class T>
struct PlainPages {
  typedef typename T::Element Element;
  DEVICE float key(const u8* page, int, int kv_head, int dim, int d, int slot) {
    return T::load((const Element*)page + ((u64)kv_head * dim + d) * PAGE + slot);
  }
  DEVICE float value(const u8* page, int kv_heads, int kv_head, int dim, int d, int slot) {
    return T::load((const Element*)page + ((u64)(kv_heads + kv_head) * PAGE + slot) * dim + d);
  }
  // The block's threads share the components.
  DEVICE void store(
      u8* page, int kv_heads, int kv_head, int dim, int slot, const float* key, const float* value) {
    Element* keys = (Element*)page;
    for (int d = threadIdx.x; d < dim; d += blockDim.x) {
      keys[((u64)kv_head * dim + d) * PAGE + slot] = T::pack(key[d]);
      keys[((u64)(kv_heads + kv_head) * PAGE + slot) * dim + d] = T::pack(value[d]);
    }
  }
};

// Blocks of 32 components with a scale; BYTES of quants each.
template <int BYTES>
struct QuantizedPages {
  enum { BLOCK_BYTES = BYTES + 2, NIBBLES = BYTES == 16 };
  DEVICE u64 key_block(int kv_head, int dim, int block) {
    return ((u64)kv_head * (dim / 32) + block) * PAGE * BLOCK_BYTES;
  }
  DEVICE u64 value_head(int kv_heads, int kv_head, int dim) {
    return (u64)(kv_heads + kv_head) * (dim / 32) * PAGE * BLOCK_BYTES;
  }
  DEVICE float number(u8 quants, int i) {
    if (!NIBBLES) return (float)(signed char)quants;
    return (float)((i < 16 ? quants & 15 : quants >> 4) - 8);
  }
  DEVICE float key(const u8* page, int, int kv_head, int dim, int d, int slot) {
    const u8* block = page + key_block(kv_head, dim, d / 32);
    int i = d % 32;
    return read_half(block + 2 * slot) * number(block[PAGE * (2 + i % BYTES) + slot], i);
  }
  DEVICE float value(const u8* page, int kv_heads, int kv_head, int dim, int d, int slot) {
    const u8* head = page + value_head(kv_heads, kv_head, dim);
    int blocks = dim / 32;
    int i = d % 32;
    u8 quants = head[((u64)slot * blocks + d / 32) * BYTES + i % BYTES];
    return read_half(head + (u64)PAGE * blocks * BYTES + 2 * (slot * blocks + d / 32)) * number(quants, i);
  }
  // The scale as half precision will hold it.
  DEVICE float scale_of(const float* x) {
    float high = x[0];
    float low = x[0];
    for (int i = 1; i < 32; i++) {
      high = fmaxf(high, x[i]);
      low = fminf(low, x[i]);
    }
    float scale = NIBBLES ? (high >= -low ? high : low) / -8 : fmaxf(high, -low) / 127;
    return half_to_float(float_to_half(scale));
  }
  DEVICE u8 quants_of(const float* x, float factor, int i) {
    int first = round_to_int(multiply(x[i], factor));
    if (!NIBBLES) return (u8)max(-127, min(127, first));
    int second = round_to_int(multiply(x[(i + 16) % 32], factor));
    return (u8)(max(0, min(15, first + 8)) | max(0, min(15, second + 8)) << 4);
  }
  // A thread for each block of the key and of the value.
  DEVICE void store(
      u8* page, int kv_heads, int kv_head, int dim, int slot, const float* key, const float* value) {
    int blocks = dim / 32;
    for (int b = threadIdx.x; b < 2 * blocks; b += blockDim.x) {
      bool is_key = b < blocks;
      int block = b % blocks;
      const float* x = (is_key ? key : value) + 32 * block;
      float scale = scale_of(x);
      float factor = scale == 0 ? 0 : 1.0f / scale;
      u8* scales;
      u8* quants;
      int step;  // from one byte of quants to the next
      if (is_key) {
        u8* target = page + key_block(kv_head, dim, block);
        scales = target + 2 * slot;
        quants = target + 2 * PAGE + slot;
        step = PAGE;
      } else {
        u8* head = page + value_head(kv_heads, kv_head, dim);
        scales = head + (u64)PAGE * blocks * BYTES + 2 * (slot * blocks + block);
        quants = head + ((u64)slot * blocks + block) * BYTES;
        step = 1;
      }
      *(u16*)scales = float_to_half(scale);
      for (int i = 0; i < BYTES; i++) quants[i * step] = quants_of(x, factor, i);
    }
  }
};

typedef PlainPages<CacheF32> PagesF32;
typedef PlainPages<CacheF16> PagesF16;
typedef QuantizedPages<32> PagesQ8_0;
typedef QuantizedPages<16> PagesQ4_0;

