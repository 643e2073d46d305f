// Operations on rows of activations, and the unpacking of weights.

// Cuts blocks of an even number of bytes in two: `count` bytes from `from` on go to one plane, the
// others to another. Counted in units of two bytes.
KERNEL split_blocks(const u16* blocks, u16* main, u16* side, u64 units, int block, int from, int count) {
  u64 stride = (u64)gridDim.x * blockDim.x;
  for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < units; i += stride) {
    u64 index = i / block;
    int at = (int)(i % block);
    if (at >= from && at < from + count) {
      main[index * count + at - from] = blocks[i];
    } else {
      side[index * (block - count) + (at < from ? at : at - count)] = blocks[i];
    }
  }
}

// Copies rows of two-byte units to rows that are longer by zeros.
KERNEL pad_rows(const u16* source, u16* target, u64 rows, int length, int padded) {
  u64 stride = (u64)gridDim.x * blockDim.x;
  for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < rows * padded; i += stride) {
    int at = (int)(i % padded);
    target[i] = at < length ? source[i / padded * length + at] : 0;
  }
}

// The sum over the block's threads, of which there are 256.
DEVICE float sum_of_block(float value, float* shared) {
  for (int mask = WARP / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  if (threadIdx.x % WARP == 0) shared[threadIdx.x / WARP] = value;
  sync_block();
  float sum = 0;
  for (int i = 0; i < 8; i++) sum += shared[i];
  return sum;
}

// y = x / sqrt(mean(x^2) + eps) * weight, a block of 256 threads for each row; weight may be null.
KERNEL rms_norm(const float* x, const float* weight, float* y, int columns, float eps) {
  SHARED_MEMORY(shared);
  const float* in = x + (u64)blockIdx.x * columns;
  float* out = y + (u64)blockIdx.x * columns;
  float squares = 0;
  for (int i = threadIdx.x; i < columns; i += 256) squares += in[i] * in[i];
  float factor = 1.0f / sqrtf(sum_of_block(squares, (float*)shared) / columns + eps);
  for (int i = threadIdx.x; i < columns; i += 256) {
    float v = in[i] * factor;
    out[i] = weight ? v * weight[i] : v;
  }
}

// Turns pairs of components; a block for each row. `step` leads to the next pair, `apart` from one
// component of a pair to the other.
KERNEL rotate(float* x, const float* angles, int columns, int head_dim, int rotated, int step, int apart) {
  float* row = x + (u64)blockIdx.x * columns;
  const float* angle = angles + (u64)blockIdx.x * rotated;
  int pairs = rotated / 2;
  for (int i = threadIdx.x; i < columns / head_dim * pairs; i += blockDim.x) {
    int at = i % pairs * step;
    float* component = row + i / pairs * head_dim + at;
    float cosine = angle[at];
    float sine = angle[at + apart];
    float re = component[0];
    float im = component[apart];
    component[0] = re * cosine - im * sine;
    component[apart] = re * sine + im * cosine;
  }
}

DEVICE u64 thread_index() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }

// gate = silu(gate) * up
KERNEL swiglu(float* gate, const float* up, u64 count) {
  u64 i = thread_index();
  if (i < count) {
    float g = gate[i];
    gate[i] = g / (1.0f + expf(-g)) * up[i];
  }
}

KERNEL add(float* x, const float* y, u64 count) {
  u64 i = thread_index();
  if (i < count) x[i] += y[i];
}

KERNEL add_bias(float* x, const float* bias, int columns, u64 count) {
  u64 i = thread_index();
  if (i < count) x[i] += bias[i % columns];
}

KERNEL scale(float* x, float factor, u64 count) {
  u64 i = thread_index();
  if (i < count) x[i] *= factor;
}

KERNEL copy(const float* x, float* y, u64 count) {
  u64 i = thread_index();
  if (i < count) y[i] = x[i];
}

// Rows in bfloat16, longer by zeros; an even number of values, in pairs.
KERNEL to_bfloats(const float* x, u32* y, int columns, int padded, u64 pairs) {
  u64 i = thread_index();
  if (i < pairs) {
    int at = (int)(2 * i % padded);
    const float* row = x + 2 * i / padded * columns;
    y[i] = floats_to_bf16x2(at < columns ? row[at] : 0, at + 1 < columns ? row[at + 1] : 0);
  }
}
