// What depends on the machine: the only file that the emulator of the tests replaces.

#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__
#define WARP 32

// The block's memory, of as many bytes as the launch asks for.
#define SHARED_MEMORY(name) extern __shared__ __align__(16) unsigned char name[]

// A pointer that came out of device memory, where the emulator cannot see it otherwise.
#define FROM_TABLE(pointer) (pointer)

DEVICE void sync_block() { __syncthreads(); }

// The value of the lane whose number differs in the bits of the mask.
DEVICE float shuffle_xor(float value, int mask) {
  return __shfl_xor_sync(0xFFFFFFFFu, value, mask);
}

DEVICE float half_to_float(unsigned short bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}

DEVICE unsigned short float_to_half(float value) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}

// Two bfloat16, the first in the low half.
DEVICE unsigned int floats_to_bf16x2(float low, float high) {
  unsigned int bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}

// Two half-precision numbers, the first in the low half.
DEVICE unsigned int floats_to_half2(float low, float high) {
  unsigned int bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}

// Byte i of a word plus the float 2^23: one instruction instead of a slow conversion.
DEVICE float byte_plus_2_to_23(unsigned int word, int i) {
  return __uint_as_float(__byte_perm(word, 0x4B000000u, 0x7650 + i));
}

DEVICE float bits_to_float(unsigned int bits) { return __uint_as_float(bits); }
DEVICE unsigned int float_to_bits(float value) { return __float_as_uint(value); }

// Nearest integer, ties to even.
DEVICE int round_to_int(float value) { return __float2int_rn(value); }

// Without contraction to a fused multiply-add.
DEVICE float multiply(float a, float b) { return __fmul_rn(a, b); }

// Multiplies bfloat16 tiles and adds: c[16][8] += a[16][16] * b[8][16]^T. Each lane holds, with
// g = lane / 4 and t = lane % 4:
//   a: rows g, g + 8, g, g + 8 at columns 2t (first two) and 2t + 8 (others), two values each
//   b: row g at columns 2t and 2t + 8, two values each
//   c: row g at columns 2t, 2t + 1, then row g + 8 at the same
DEVICE void multiply_tiles(float (&c)[4], const unsigned int (&a)[4], const unsigned int (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same with half precision.
DEVICE void multiply_half_tiles(float (&c)[4], const unsigned int (&a)[4], const unsigned int (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
