/*
 * Instructions that this processor lacks, in software: AMX with bfloat16, AVX512-BF16, AVX-VNNI.
 *
 * The processor raises SIGILL at an instruction it does not know. The handler here decodes it, does
 * its work on the registers that the kernel saved in the signal's frame, and goes on behind it. So
 * the very bytes that Java assembles run, called as in production, and all other instructions are
 * the processor's own. Signals that are not for us go to the handler that was there before, which
 * is the JVM's.
 *
 * Semantics are those of Intel's manual, volume 2: bfloat16 arithmetic takes subnormal numbers as
 * zero and rounds to nearest even. What hardware would answer with an exception (a tile of another
 * shape than the product needs, a tile that is not configured) is counted as a fault.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

enum { RSP = 4, RBP = 5, XMM_AT = 160, HEADER_AT = 512, SSE = 1, AVX = 2, HIGH_256 = 6, HIGH_16 = 7 };

static struct sigaction before;
static uint32_t offsets[8]; /* of a component of the saved state */
static volatile int faults, live;
static char first_fault[200];

/* The tiles of a thread. */
static __thread struct {
  int configured;
  uint8_t rows[8];
  uint16_t columns[8]; /* in bytes */
  uint8_t data[8][16][64];
} tiles;

static void fault(const char *what, int a, int b) {
  if (__sync_fetch_and_add(&faults, 1) == 0) {
    snprintf(first_fault, sizeof first_fault, "%s (%d, %d)", what, a, b);
  }
}

/* ---- registers, in the signal's frame ---- */

/* R8 to R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP, RIP is the order there. */
static const int PLACES[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                               REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static uint64_t gpr(ucontext_t *context, int number) {
  return context->uc_mcontext.gregs[PLACES[number]];
}

/* Part of a vector register; a component that is in its initial state is all zero, but not in memory. */
static uint8_t *part(ucontext_t *context, int component, int bytes, int number) {
  uint8_t *state = (uint8_t *)context->uc_mcontext.fpregs;
  uint64_t *in_use = (uint64_t *)(state + HEADER_AT);
  uint8_t *first = state + (component == SSE ? XMM_AT : offsets[component]);
  if (!(*in_use >> component & 1)) {
    memset(first, 0, 16 * bytes);
    *in_use |= 1ull << component;
  }
  return first + bytes * number;
}

static void get_vector(ucontext_t *context, int number, uint8_t value[64]) {
  if (number >= 16) {
    memcpy(value, part(context, HIGH_16, 64, number - 16), 64);
    return;
  }
  memcpy(value, part(context, SSE, 16, number), 16);
  memcpy(value + 16, part(context, AVX, 16, number), 16);
  if (offsets[HIGH_256]) {
    memcpy(value + 32, part(context, HIGH_256, 32, number), 32);
  }
}

static void set_vector(ucontext_t *context, int number, const uint8_t value[64]) {
  if (number >= 16) {
    memcpy(part(context, HIGH_16, 64, number - 16), value, 64);
    return;
  }
  memcpy(part(context, SSE, 16, number), value, 16);
  memcpy(part(context, AVX, 16, number), value + 16, 16);
  if (offsets[HIGH_256]) {
    memcpy(part(context, HIGH_256, 32, number), value + 32, 32);
  }
}

/* ---- arithmetic ---- */

static float flush(float x) {
  return fpclassify(x) == FP_SUBNORMAL ? copysignf(0, x) : x;
}

static float widen(uint16_t bits) {
  uint32_t all = (uint32_t)bits << 16;
  float x;
  memcpy(&x, &all, 4);
  return flush(x);
}

static uint16_t narrow(float x) {
  uint32_t bits;
  x = flush(x);
  memcpy(&bits, &x, 4);
  if (isnan(x)) {
    return bits >> 16 | 0x40;
  }
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

static float multiply_add(float sum, uint16_t a, uint16_t b) {
  return flush(fmaf(widen(a), widen(b), flush(sum)));
}

/* ---- instructions ---- */

static void ldtilecfg(const uint8_t *config) {
  if (config[0] != 1 || config[1] != 0) {
    fault("LDTILECFG: palette or start row", config[0], config[1]);
  }
  memset(&tiles, 0, sizeof tiles);
  for (int i = 0; i < 8; i++) {
    memcpy(&tiles.columns[i], config + 16 + 2 * i, 2);
    tiles.rows[i] = config[48 + i];
    if (tiles.columns[i] > 64 || tiles.rows[i] > 16) {
      fault("LDTILECFG: size of a tile", tiles.columns[i], tiles.rows[i]);
      tiles.columns[i] = tiles.rows[i] = 0;
    }
  }
  for (int i = 2; i < 64; i++) {
    if ((i < 16 || (i >= 32 && i < 48) || i >= 56) && config[i] != 0) {
      fault("LDTILECFG: reserved byte", i, config[i]);
    }
  }
  tiles.configured = 1;
  __sync_fetch_and_add(&live, 1);
}

static void tilerelease(void) {
  __sync_fetch_and_sub(&live, tiles.configured);
  memset(&tiles, 0, sizeof tiles);
}

static void check(int tile) {
  if (!tiles.configured || tiles.rows[tile] == 0 || tiles.columns[tile] == 0) {
    fault("tile not configured", tile, 0);
  }
}

static void tdpbf16ps(int c, int a, int b) {
  check(a), check(b), check(c);
  if (a == b || a == c || b == c) {
    fault("TDPBF16PS: the same tile twice", a, b);
  }
  if (tiles.rows[c] != tiles.rows[a] || tiles.columns[c] != tiles.columns[b] ||
      tiles.columns[a] != 4 * tiles.rows[b] || tiles.columns[c] % 4 != 0) {
    fault("TDPBF16PS: shapes", tiles.columns[a], tiles.rows[b]);
  }
  for (int row = 0; row < tiles.rows[c]; row++) {
    uint16_t *x = (uint16_t *)tiles.data[a][row];
    float *sum = (float *)tiles.data[c][row];
    for (int column = 0; column < tiles.columns[c] / 4; column++) {
      float even = 0, odd = 0;
      for (int k = 0; k < tiles.columns[a] / 4; k++) {
        uint16_t *y = (uint16_t *)tiles.data[b][k] + 2 * column;
        even = multiply_add(even, x[2 * k], y[0]);
        odd = multiply_add(odd, x[2 * k + 1], y[1]);
      }
      sum[column] = flush(flush(sum[column]) + flush(even + odd));
    }
  }
}

static void vcvtne2ps2bf16(uint16_t *to, const float *high, const float *low, int bytes) {
  for (int i = 0; i < bytes / 4; i++) {
    to[i] = narrow(low[i]);
    to[bytes / 4 + i] = narrow(high[i]);
  }
}

static void vdpbf16ps(float *sum, const uint16_t *a, const uint16_t *b, int bytes) {
  for (int i = 0; i < bytes / 4; i++) {
    sum[i] = multiply_add(sum[i], a[2 * i + 1], b[2 * i + 1]);
    sum[i] = multiply_add(sum[i], a[2 * i], b[2 * i]);
  }
}

static void vpdpbusd(int32_t *sum, const uint8_t *a, const int8_t *b, int bytes) {
  for (int i = 0; i < bytes; i++) {
    sum[i / 4] += a[i] * b[i];
  }
}

/* ---- decoding ---- */

/* The operands of an instruction from its ModRM byte on. */
struct operands {
  int reg, rm, is_memory, stride_register;
  uint8_t *memory; /* without the index where that is a stride */
  const uint8_t *end;
};

static struct operands decode(ucontext_t *context, const uint8_t *at, int r, int x, int b, int unit, int strided) {
  struct operands o = {.reg = (at[0] >> 3 & 7) | r, .stride_register = -1};
  int mode = at[0] >> 6, low = at[0] & 7;
  at++;
  if (mode == 3) {
    o.rm = low | b | (x << 1 & 16);
    o.end = at;
    return o;
  }
  o.is_memory = 1;
  int base = low | b, index = -1, scale = 0;
  if (low == 4) {
    scale = at[0] >> 6;
    index = (at[0] >> 3 & 7) | x;
    base = (at[0] & 7) | b;
    low = at[0] & 7;
    at++;
  }
  int64_t displacement = 0;
  if (mode == 1) {
    displacement = (int8_t)*at++ * unit;
  } else if (mode == 2 || low == 5) {
    int32_t bytes;
    memcpy(&bytes, at, 4);
    displacement = bytes;
    at += 4;
  }
  o.end = at;
  uint64_t address = mode == 0 && low == 5 ? (uint64_t)o.end : gpr(context, base);
  if (index >= 0 && index != RSP) {
    if (strided) {
      o.stride_register = index;
    } else {
      address += gpr(context, index) << scale;
    }
  }
  o.memory = (uint8_t *)(address + displacement);
  return o;
}

/* A vector instruction with three operands, the first also a source. */
static int vector(ucontext_t *context, int key, int bytes, int vvvv, struct operands *o, int broadcast) {
  uint8_t to[64] = {0}, a[64], b[64], result[64] = {0};
  get_vector(context, o->reg, to);
  get_vector(context, vvvv, a);
  if (!o->is_memory) {
    get_vector(context, o->rm, b);
  } else if (broadcast) {
    for (int i = 0; i < bytes; i += 4) memcpy(b + i, o->memory, 4);
  } else {
    memcpy(b, o->memory, bytes);
  }
  memcpy(result, to, bytes);
  switch (key) {
    case 0x150: vpdpbusd((int32_t *)result, a, (int8_t *)b, bytes); break;
    case 0x252: vdpbf16ps((float *)result, (uint16_t *)a, (uint16_t *)b, bytes); break;
    case 0x372: vcvtne2ps2bf16((uint16_t *)result, (float *)a, (float *)b, bytes); break;
    default: return 0;
  }
  set_vector(context, o->reg, result);
  return 1;
}

static int tile(ucontext_t *context, int key, int vvvv, struct operands *o) {
  if (key == 0x25C && !o->is_memory) {
    tdpbf16ps(o->reg, o->rm, vvvv);
  } else if (key == 0x049 && o->is_memory) {
    ldtilecfg(o->memory);
  } else if (key == 0x049) {
    tilerelease();
  } else if (key == 0x349) {
    check(o->reg);
    memset(tiles.data[o->reg], 0, sizeof tiles.data[0]);
  } else if ((key == 0x34B || key == 0x24B) && o->stride_register >= 0) {
    check(o->reg);
    uint8_t *row = o->memory;
    if (key == 0x34B) {
      memset(tiles.data[o->reg], 0, sizeof tiles.data[0]);
    }
    for (int i = 0; i < tiles.rows[o->reg]; i++, row += gpr(context, o->stride_register)) {
      uint8_t *data = tiles.data[o->reg][i];
      memcpy(key == 0x34B ? data : row, key == 0x34B ? row : data, tiles.columns[o->reg]);
    }
  } else {
    return 0;
  }
  return 1;
}

/* Does the instruction at RIP; 0 if it is none of ours. */
static int emulate(ucontext_t *context) {
  const uint8_t *code = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP];
  struct operands o;
  int done = 0;
  if (code[0] == 0xC4 && (code[1] & 31) == 2) {
    int r = ~code[1] >> 4 & 8, x = ~code[1] >> 3 & 8, b = ~code[1] >> 2 & 8;
    int vvvv = ~code[2] >> 3 & 15, bytes = code[2] & 4 ? 32 : 16;
    int key = (code[2] & 3) << 8 | code[3]; /* prefix, opcode */
    o = decode(context, code + 4, r, x, b, 1, code[3] == 0x4B);
    done = key == 0x150 ? vector(context, key, bytes, vvvv, &o, 0)
           : o.reg < 8 && vvvv < (key == 0x25C ? 8 : 16) ? tile(context, key, vvvv, &o)
                                                           : 0;
  } else if (code[0] == 0x62 && (code[1] & 15) == 2) {
    int r = (~code[1] >> 4 & 8) | (~code[1] & 16), x = ~code[1] >> 3 & 8, b = ~code[1] >> 2 & 8;
    int vvvv = (~code[2] >> 3 & 15) | (~code[3] << 1 & 16), bytes = 16 << (code[3] >> 5 & 3);
    int key = (code[2] & 3) << 8 | code[4], broadcast = code[3] & 16;
    o = decode(context, code + 5, r, x, b, broadcast ? 4 : bytes, 0);
    int masked = code[3] & 7;
    done = offsets[HIGH_256] && !masked && key != 0x150 && vector(context, key, bytes, vvvv, &o, broadcast);
  }
  if (done) {
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)o.end;
  }
  return done;
}

static void handle(int signal, siginfo_t *info, void *context) {
  if (!emulate(context)) {
    before.sa_sigaction(signal, info, context);
  }
}

/* ---- for Java ---- */

/* Puts the emulator in the place of the handler for unknown instructions; 0 if that worked. */
long emulator_install(void) {
  uint32_t size, offset, c, d;
  for (int component = AVX; component <= HIGH_16; component++) {
    if (__get_cpuid_count(13, component, &size, &offset, &c, &d)) {
      offsets[component] = offset;
    }
  }
  struct sigaction ours = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  sigfillset(&ours.sa_mask);
  return sigaction(SIGILL, &ours, &before);
}

/* Threads whose tiles are configured at present. */
long emulator_live(void) {
  return live;
}

/* What hardware would have refused so far; 0 if nothing. */
long emulator_faults(void) {
  return faults;
}

/* The first of them, in words. */
const char *emulator_first_fault(void) {
  return first_fault;
}

/* Forgets them. */
void emulator_forget(void) {
  faults = 0;
}
