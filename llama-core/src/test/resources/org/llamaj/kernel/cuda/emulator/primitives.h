// In place of primitives.cuh: a processor core plays one block of threads after the other.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#define KERNEL extern "C" void
#define DEVICE static inline
#define WARP 32
#define SHARED_MEMORY(name) unsigned char* name = emulator::shared_memory()
#define FROM_TABLE(pointer) emulator::checked(pointer)

struct Index3 {
  unsigned x, y, z;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }

namespace emulator {
extern Index3 thread_index, block_index, block_size, grid_size;
unsigned char* shared_memory();
unsigned long long checked(unsigned long long device_pointer);
// All threads of the block get there before any goes on.
void block_barrier();
// All lanes of the warp hand over `bytes`, and get those of all 32.
const unsigned char* exchange(const void* own, int bytes, int operation);
}  // namespace emulator

#define threadIdx emulator::thread_index
#define blockIdx emulator::block_index
#define blockDim emulator::block_size
#define gridDim emulator::grid_size

DEVICE void sync_block() { emulator::block_barrier(); }

DEVICE float shuffle_xor(float value, int mask) {
  int lane = threadIdx.x % WARP;
  const unsigned char* all = emulator::exchange(&value, sizeof value, 1);
  float other;
  std::memcpy(&other, all + 64 * (lane ^ mask), sizeof other);
  return other;
}

DEVICE float bits_to_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

DEVICE unsigned float_to_bits(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

DEVICE float half_to_float(unsigned short bits) {
  unsigned sign = (bits & 0x8000u) << 16;
  int exponent = bits >> 10 & 31;
  unsigned mantissa = bits & 1023;
  if (exponent == 31) return bits_to_float(sign | 0x7F800000u | mantissa << 13);
  if (exponent != 0) return bits_to_float(sign | (exponent + 112) << 23 | mantissa << 13);
  float value = std::ldexp((float)mantissa, -24);
  return sign ? -value : value;
}

DEVICE unsigned short float_to_half(float value) {
  unsigned bits = float_to_bits(value);
  unsigned sign = bits >> 16 & 0x8000u;
  unsigned rest = bits & 0x7FFFFFFFu;
  if (rest > 0x7F800000u) return sign | 0x7FFF;
  if (rest >= 0x477FF000u) return sign | 0x7C00;
  if (rest < 0x38800000u) {  // below the normal numbers
    float scaled = std::nearbyint(std::ldexp(bits_to_float(rest), 24));
    return sign | (unsigned short)scaled;
  }
  unsigned rounded = rest + 0xFFF + (rest >> 13 & 1);
  return sign | (unsigned short)((rounded - 0x38000000u) >> 13);
}

DEVICE unsigned bfloat(float value) {
  unsigned bits = float_to_bits(value);
  if (std::isnan(value)) return 0x7FFF;
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

DEVICE unsigned floats_to_bf16x2(float low, float high) { return bfloat(low) | bfloat(high) << 16; }

DEVICE unsigned floats_to_half2(float low, float high) {
  return float_to_half(low) | (unsigned)float_to_half(high) << 16;
}

DEVICE float byte_plus_2_to_23(unsigned word, int i) {
  return bits_to_float((word >> 8 * i & 255) | 0x4B000000u);
}

DEVICE int round_to_int(float value) { return (int)std::nearbyint(value); }

DEVICE float multiply(float a, float b) { return a * b; }

struct BfloatPair {
  static float at(unsigned word, int high) { return bits_to_float(high ? word & 0xFFFF0000u : word << 16); }
};

struct HalfPair {
  static float at(unsigned word, int high) { return half_to_float(high ? word >> 16 : word & 0xFFFF); }
};

template <class Pair>
static float element(const unsigned char* fragment, int reg, int high) {
  unsigned word;
  std::memcpy(&word, fragment + 4 * reg, 4);
  return Pair::at(word, high);
}

// From the description of mma.m16n8k16 in the PTX manual: which lane holds what is worked out anew
// here, element by element, and not as the kernels put it.
template <class Pair>
static void multiply_pairs(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2], int operation) {
  unsigned own[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  const unsigned char* all = emulator::exchange(own, sizeof own, operation);
  int lane = threadIdx.x % WARP;
  for (int i = 0; i < 4; i++) {
    int row = i < 2 ? lane >> 2 : (lane >> 2) + 8;
    int column = (lane % 4) * 2 + (i & 1);
    float sum = c[i];
    for (int k = 0; k < 16; k++) {
      int a_lane = (row % 8) * 4 + (k % 8) / 2;
      int a_register = (row >= 8 ? 1 : 0) + (k >= 8 ? 2 : 0);
      int b_lane = column * 4 + (k % 8) / 2;
      int b_register = 4 + (k >= 8 ? 1 : 0);
      sum += element<Pair>(all + 64 * a_lane, a_register, k & 1) * element<Pair>(all + 64 * b_lane, b_register, k & 1);
    }
    c[i] = sum;
  }
}

DEVICE void multiply_tiles(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  multiply_pairs<BfloatPair>(c, a, b, 2);
}

DEVICE void multiply_half_tiles(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  multiply_pairs<HalfPair>(c, a, b, 3);
}

using std::sqrt;
