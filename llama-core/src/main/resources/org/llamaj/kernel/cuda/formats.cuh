// Weight formats. On the device a matrix of quantised blocks is two planes: of each block the
// bytes that make a multiple of 16 (so that they can be loaded 16 at a time), and the rest. A
// chunk is 32 neighbouring values of a row; it is read as two halves of 16 values q with
//   weight = scale * q + offset
// Rows of floats are padded with zeros to whole chunks. The layouts are those of GGUF.

struct Half {
  float q[16];
  float scale;
  float offset;
};

DEVICE u16 read_u16(const u8* p) { return *(const u16*)p; }
DEVICE float read_half(const u8* p) { return half_to_float(read_u16(p)); }
DEVICE uint4 load16(const u8* p) { return *(const uint4*)p; }

DEVICE u32 word(const uint4& v, int i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

// The 16 bytes as numbers, minus a bias.
DEVICE void bytes_to_floats(const uint4& bytes, float bias, float (&q)[16]) {
#pragma unroll
  for (int i = 0; i < 16; i++) q[i] = byte_plus_2_to_23(word(bytes, i / 4), i % 4) - (8388608.0f + bias);
}

// One of the two nibbles of each byte.
DEVICE uint4 nibbles(const uint4& v, int high) {
  int shift = 4 * high;
  uint4 n;
  n.x = v.x >> shift & 0x0F0F0F0Fu;
  n.y = v.y >> shift & 0x0F0F0F0Fu;
  n.z = v.z >> shift & 0x0F0F0F0Fu;
  n.w = v.w >> shift & 0x0F0F0F0Fu;
  return n;
}

// One bit of each byte, moved to another place of the byte.
DEVICE u32 bit_of_bytes(u32 v, int from, int to) { return (v >> from & 0x01010101u) << to; }

DEVICE uint4 with_bit(const uint4& low, const uint4& bits, int from, int to) {
  uint4 n;
  n.x = low.x | bit_of_bytes(bits.x, from, to);
  n.y = low.y | bit_of_bytes(bits.y, from, to);
  n.z = low.z | bit_of_bytes(bits.z, from, to);
  n.w = low.w | bit_of_bytes(bits.w, from, to);
  return n;
}

// Two bits of each byte, moved to another place of the byte.
DEVICE uint4 bit_pairs(const uint4& v, int from, int to) {
  uint4 n;
  n.x = (v.x >> from & 0x03030303u) << to;
  n.y = (v.y >> from & 0x03030303u) << to;
  n.z = (v.z >> from & 0x03030303u) << to;
  n.w = (v.w >> from & 0x03030303u) << to;
  return n;
}

DEVICE uint4 merge(const uint4& a, const uint4& b) {
  uint4 n;
  n.x = a.x | b.x;
  n.y = a.y | b.y;
  n.z = a.z | b.z;
  n.w = a.w | b.w;
  return n;
}

// Four bits spread to the lowest bits of four bytes.
DEVICE u32 spread(u32 bits) {
  return (bits & 1) | (bits & 2) << 7 | (bits & 4) << 14 | (bits & 8) << 21;
}

// Sixteen bits, one to a byte.
DEVICE uint4 spread16(u32 bits) {
  uint4 n;
  n.x = spread(bits);
  n.y = spread(bits >> 4);
  n.z = spread(bits >> 8);
  n.w = spread(bits >> 12);
  return n;
}

// Signed bytes as numbers.
DEVICE void signed_to_floats(uint4 bytes, float (&q)[16]) {
  bytes.x ^= 0x80808080u;
  bytes.y ^= 0x80808080u;
  bytes.z ^= 0x80808080u;
  bytes.w ^= 0x80808080u;
  bytes_to_floats(bytes, 128.0f, q);
}

// Sub-scale and sub-minimum of Q4_K and Q5_K, 6 bits each, from 12 bytes at offset 4 of a block.
DEVICE void six_bit_pair(const u8* packed, int sub, int& scale, int& minimum) {
  if (sub < 4) {
    scale = packed[sub] & 63;
    minimum = packed[sub + 4] & 63;
  } else {
    scale = (packed[sub + 4] & 15) | packed[sub - 4] >> 6 << 4;
    minimum = packed[sub + 4] >> 4 | packed[sub] >> 6 << 4;
  }
}

// The levels of IQ4_NL and IQ4_XS, which the format fixes.
DEVICE float non_linear(u32 nibble) {
  const u64 low = 0xF6EADDCFBFAD9881ull;   // -127 -104 -83 -65 -49 -35 -22 -10
  const u64 high = 0x7159453526190D01ull;  // 1 13 25 38 53 69 89 113
  u64 levels = nibble < 8 ? low : high;
  return (float)(signed char)(u8)(levels >> 8 * (nibble & 7));
}

DEVICE void non_linear_to_floats(const uint4& nibbles, float (&q)[16]) {
#pragma unroll
  for (int i = 0; i < 16; i++) q[i] = non_linear(word(nibbles, i / 4) >> 8 * (i % 4) & 15);
}

// BLOCK values in a block, MAIN and SIDE bytes of it in the planes. half(): half h (0 or 1) of the
// chunk c of a block.

struct F32 {
  enum { BLOCK = 32, MAIN = 128, SIDE = 0, SCALED = 0, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8*, int, int h, Half& out) {
    const float4* p = (const float4*)(main + 64 * h);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float4 v = p[i];
      out.q[4 * i] = v.x;
      out.q[4 * i + 1] = v.y;
      out.q[4 * i + 2] = v.z;
      out.q[4 * i + 3] = v.w;
    }
  }
};

struct F16 {
  enum { BLOCK = 32, MAIN = 64, SIDE = 0, SCALED = 0, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8*, int, int h, Half& out) {
#pragma unroll
    for (int j = 0; j < 2; j++) {
      uint4 v = load16(main + 32 * h + 16 * j);
#pragma unroll
      for (int i = 0; i < 8; i++) out.q[8 * j + i] = half_to_float((u16)(word(v, i / 2) >> 16 * (i % 2)));
    }
  }
};

struct BF16 {
  enum { BLOCK = 32, MAIN = 64, SIDE = 0, SCALED = 0, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8*, int, int h, Half& out) {
#pragma unroll
    for (int j = 0; j < 2; j++) {
      uint4 v = load16(main + 32 * h + 16 * j);
#pragma unroll
      for (int i = 0; i < 8; i++) {
        u32 pair = word(v, i / 2);
        out.q[8 * j + i] = bits_to_float(i % 2 == 0 ? pair << 16 : pair & 0xFFFF0000u);
      }
    }
  }
};

// half scale | 16 bytes of nibbles
struct Q4_0 {
  enum { BLOCK = 32, MAIN = 16, SIDE = 2, SCALED = 1, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8* side, int, int h, Half& out) {
    bytes_to_floats(nibbles(load16(main), h), 8.0f, out.q);
    out.scale = read_half(side);
  }
};

// half scale, half minimum | 16 bytes of nibbles
struct Q4_1 {
  enum { BLOCK = 32, MAIN = 16, SIDE = 4, SCALED = 1, OFFSET = 1 };
  DEVICE void half(const u8* main, const u8* side, int, int h, Half& out) {
    bytes_to_floats(nibbles(load16(main), h), 0.0f, out.q);
    out.scale = read_half(side);
    out.offset = read_half(side + 2);
  }
};

// half scale, 32 fifth bits | 16 bytes of nibbles
struct Q5_0 {
  enum { BLOCK = 32, MAIN = 16, SIDE = 6, SCALED = 1, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8* side, int, int h, Half& out) {
    uint4 fifth = spread16(read_u16(side + 2 + 2 * h));
    bytes_to_floats(with_bit(nibbles(load16(main), h), fifth, 0, 4), 16.0f, out.q);
    out.scale = read_half(side);
  }
};

// half scale, half minimum, 32 fifth bits | 16 bytes of nibbles
struct Q5_1 {
  enum { BLOCK = 32, MAIN = 16, SIDE = 8, SCALED = 1, OFFSET = 1 };
  DEVICE void half(const u8* main, const u8* side, int, int h, Half& out) {
    uint4 fifth = spread16(read_u16(side + 4 + 2 * h));
    bytes_to_floats(with_bit(nibbles(load16(main), h), fifth, 0, 4), 0.0f, out.q);
    out.scale = read_half(side);
    out.offset = read_half(side + 2);
  }
};

// half scale | 32 signed bytes
struct Q8_0 {
  enum { BLOCK = 32, MAIN = 32, SIDE = 2, SCALED = 1, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8* side, int, int h, Half& out) {
    signed_to_floats(load16(main + 16 * h), out.q);
    out.scale = read_half(side);
  }
};

// 16 bytes of sub-scales (low) and sub-minima (high), 64 bytes of bit pairs | half scale, half minimum
struct Q2_K {
  enum { BLOCK = 256, MAIN = 80, SIDE = 4, SCALED = 1, OFFSET = 1 };
  DEVICE void half(const u8* main, const u8* side, int c, int h, Half& out) {
    int pair = main[2 * c + h];
    bytes_to_floats(bit_pairs(load16(main + 16 + 32 * (c / 4) + 16 * h), 2 * (c % 4), 0), 0.0f, out.q);
    out.scale = read_half(side) * (pair & 15);
    out.offset = -read_half(side + 2) * (pair >> 4);
  }
};

// 32 bytes of third bits, 64 bytes of bit pairs | 12 bytes of 6-bit sub-scales, half scale
struct Q3_K {
  enum { BLOCK = 256, MAIN = 96, SIDE = 14, SCALED = 1, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8* side, int c, int h, Half& out) {
    int sub = 2 * c + h;
    int low = side[sub % 8] >> sub / 8 * 4 & 15;
    int high = side[8 + sub % 4] >> sub / 4 * 2 & 3;
    uint4 pairs = bit_pairs(load16(main + 32 + 32 * (c / 4) + 16 * h), 2 * (c % 4), 0);
    bytes_to_floats(with_bit(pairs, load16(main + 16 * h), c, 2), 4.0f, out.q);
    out.scale = read_half(side + 12) * ((low | high << 4) - 32);
  }
};

// half scale, half minimum, 12 bytes of 6-bit pairs, 128 bytes of nibbles
struct Q4_K {
  enum { BLOCK = 256, MAIN = 144, SIDE = 0, SCALED = 1, OFFSET = 1 };
  DEVICE void half(const u8* main, const u8*, int c, int h, Half& out) {
    int scale, minimum;
    six_bit_pair(main + 4, c, scale, minimum);
    bytes_to_floats(nibbles(load16(main + 16 + 32 * (c / 2) + 16 * h), c % 2), 0.0f, out.q);
    out.scale = read_half(main) * scale;
    out.offset = -read_half(main + 2) * minimum;
  }
};

// half scale, half minimum, 12 bytes of 6-bit pairs, 32 bytes of fifth bits, 128 bytes of nibbles
struct Q5_K {
  enum { BLOCK = 256, MAIN = 176, SIDE = 0, SCALED = 1, OFFSET = 1 };
  DEVICE void half(const u8* main, const u8*, int c, int h, Half& out) {
    int scale, minimum;
    six_bit_pair(main + 4, c, scale, minimum);
    uint4 low = nibbles(load16(main + 48 + 32 * (c / 2) + 16 * h), c % 2);
    bytes_to_floats(with_bit(low, load16(main + 16 + 16 * h), c, 4), 0.0f, out.q);
    out.scale = read_half(main) * scale;
    out.offset = -read_half(main + 2) * minimum;
  }
};

// 128 bytes of nibbles, 64 bytes of upper bit pairs, 16 signed sub-scales | half scale
struct Q6_K {
  enum { BLOCK = 256, MAIN = 208, SIDE = 2, SCALED = 1, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8* side, int c, int h, Half& out) {
    int quarter = c % 4;
    uint4 low = nibbles(load16(main + 64 * (c / 4) + 32 * (quarter % 2) + 16 * h), quarter / 2);
    uint4 high = bit_pairs(load16(main + 128 + 32 * (c / 4) + 16 * h), 2 * quarter, 4);
    bytes_to_floats(merge(low, high), 32.0f, out.q);
    out.scale = read_half(side) * (signed char)main[192 + 2 * c + h];
  }
};

// half scale | 16 bytes of nibbles
struct IQ4_NL {
  enum { BLOCK = 32, MAIN = 16, SIDE = 2, SCALED = 1, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8* side, int, int h, Half& out) {
    non_linear_to_floats(nibbles(load16(main), h), out.q);
    out.scale = read_half(side);
  }
};

// half scale, 8 x 2 upper and 8 x 4 lower bits of sub-scales | 128 bytes of nibbles
struct IQ4_XS {
  enum { BLOCK = 256, MAIN = 128, SIDE = 8, SCALED = 1, OFFSET = 0 };
  DEVICE void half(const u8* main, const u8* side, int c, int h, Half& out) {
    int low = side[4 + c / 2] >> c % 2 * 4 & 15;
    int high = read_u16(side + 2) >> 2 * c & 3;
    non_linear_to_floats(nibbles(load16(main + 16 * c), h), out.q);
    out.scale = read_half(side) * ((low | high << 4) - 32);
  }
};

// Half h of a row's chunk.
template <class F>
DEVICE void read_half_chunk(
    const u8* main, const u8* side, u64 blocks_before, int chunk, int h, Half& out) {
  const int chunks = F::BLOCK / 32;
  u64 block = blocks_before + chunk / chunks;
  F::half(main + block * F::MAIN, side + block * F::SIDE, chunk % chunks, h, out);
}

// The weight itself.
template <class F>
DEVICE float weight(const Half& half, int i) {
  float w = half.q[i];
  if (F::SCALED) w = multiply(half.scale, w);
  if (F::OFFSET) w += half.offset;
  return w;
}
