// The greatest values of a row, of a slice of 2048 at a time: each slice is sorted and its first
// `count` kept, and what was kept of all slices is treated in the same way, until one slice is left.
// A value and its place are one number, so that equal ones are in the order of their places.

#define SLICE 2048
#define BEST_THREADS 256

// Greater for greater values; of equal ones for lower indices. 0 stands for none.
DEVICE u64 best_key(float value, u32 index) {
  u32 bits = float_to_bits(value);
  u32 ordered = bits >> 31 ? ~bits : bits | 0x80000000u;
  return (u64)ordered << 32 | (0xFFFFFFFFu - index);
}

// A bitonic sort (Batcher 1968), greatest first.
DEVICE void sort_slice(u64* keys) {
  for (int size = 2; size <= SLICE; size *= 2) {
    for (int apart = size / 2; apart > 0; apart /= 2) {
      sync_block();
      for (int i = threadIdx.x; i < SLICE / 2; i += BEST_THREADS) {
        int a = i / apart * 2 * apart + i % apart;
        u64 first = keys[a];
        u64 second = keys[a + apart];
        bool descending = (a & size) == 0;
        if (descending ? first < second : first > second) {
          keys[a] = second;
          keys[a + apart] = first;
        }
      }
    }
  }
  sync_block();
}

// The grid is slices x rows; so is what is kept, with `count` keys for each.
KERNEL best_of_values(const float* x, u64* best, int columns, int count) {
  SHARED_MEMORY(shared);
  u64* keys = (u64*)shared;
  const float* row = x + (u64)blockIdx.y * columns;
  for (int i = threadIdx.x; i < SLICE; i += BEST_THREADS) {
    int at = blockIdx.x * SLICE + i;
    keys[i] = at < columns ? best_key(row[at], at) : 0;
  }
  sort_slice(keys);
  u64* kept = best + ((u64)blockIdx.y * gridDim.x + blockIdx.x) * count;
  for (int i = threadIdx.x; i < count; i += BEST_THREADS) kept[i] = keys[i];
}

// The same of `given` keys in a row that were kept before.
KERNEL best_of_best(const u64* x, u64* best, int given, int count) {
  SHARED_MEMORY(shared);
  u64* keys = (u64*)shared;
  const u64* row = x + (u64)blockIdx.y * given;
  for (int i = threadIdx.x; i < SLICE; i += BEST_THREADS) {
    int at = blockIdx.x * SLICE + i;
    keys[i] = at < given ? row[at] : 0;
  }
  sort_slice(keys);
  u64* kept = best + ((u64)blockIdx.y * gridDim.x + blockIdx.x) * count;
  for (int i = threadIdx.x; i < count; i += BEST_THREADS) kept[i] = keys[i];
}
