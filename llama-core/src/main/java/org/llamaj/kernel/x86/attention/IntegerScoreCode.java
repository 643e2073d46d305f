package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPS2DQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPADDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPANDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPDPBUSD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMI2D;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHBW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHWD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKLBW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKLWD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPXORD;
import static org.llamaj.kernel.x86.assembler.Instruction.VSHUFI32X4;
import static org.llamaj.kernel.x86.attention.AttentionCode.ARGUMENTS;
import static org.llamaj.kernel.x86.attention.AttentionCode.COUNTER;
import static org.llamaj.kernel.x86.attention.AttentionCode.MEMORY;
import static org.llamaj.kernel.x86.attention.AttentionCode.OPERAND;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE_BASE;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.ExponentialCode;
import org.llamaj.kernel.x86.code.KernelBuilder;

/**
 * Emits the scores of queries with the quantised keys of a page, in integers. A query is rounded to
 * 16 bits, that is to a 65000th of its greatest component; keys stay what they are, and the
 * products of a block add up exactly. 16 bits are two digits of 8: a query is 256 x upper + lower,
 * both signed. Keys are unsigned, which instructions want of one of the two: their quants plus 128
 * or 8, which is taken back at the beginning of each sum.
 *
 * <p>An instruction multiplies four neighbouring components of a token, but a page has one
 * component of 64 tokens in a row. So four rows are interleaved, after which register p of four has
 * the tokens 4p to 4p + 3 of each 16.
 */
final class IntegerScoreCode {
  private static final int BLOCK = QuantizedPage.BLOCK;

  /** Registers that the tokens of a page take, and of half a page. */
  private static final int PARTS = PAGE / 16;

  private static final int HALF = PARTS / 2;

  private static final Gpr BLOCKS = Gpr.R8;
  private static final Gpr OFFSETS = Gpr.R9;
  private static final Gpr SCORES = Gpr.R10;

  private static final Vector[] KEYS = {Vector.zmm(24), Vector.zmm(25)};
  private static final Vector[] OTHERS = {Vector.zmm(26), Vector.zmm(27)};
  private static final Vector[] DIGITS = {Vector.zmm(28), Vector.zmm(29)};
  private static final Vector BITS = Vector.zmm(30);

  private final AttentionShape shape;
  private final int queries;
  private final boolean nibbles;
  private final int blocks;
  private final int quantBytes;
  private final int scoresAt;

  /** [headDim / 4][queries] { 4 upper digits, 4 lower digits }. */
  private final int queriesAt;

  /** [blocks][queries] integers. */
  private final int offsetsAt;

  /** [queries]: what an integer product is worth, without the key's scale. */
  private final int unitsAt;

  /** The scales of a block of half a page's keys. */
  private final int scalesAt;

  private final KernelBuilder k;
  private final Ahead ahead;
  private final Assembler a;

  /**
   * @param scoresAt where in the frame scores go
   * @param frameAt where in the frame {@link #frameBytes} are free
   */
  IntegerScoreCode(
      AttentionShape shape, int queries, int scoresAt, int frameAt, KernelBuilder k, Ahead ahead) {
    this.shape = shape;
    this.queries = queries;
    this.scoresAt = scoresAt;
    this.k = k;
    this.ahead = ahead;
    a = k.a;
    QuantizedPage layout = new QuantizedPage(shape);
    nibbles = shape.cacheType() == CacheType.Q4_0;
    blocks = layout.blocks();
    quantBytes = layout.quantBytes();
    queriesAt = frameAt;
    scalesAt = queriesAt + lines(2 * queries * shape.headDim());
    offsetsAt = scalesAt + 64 * HALF;
    unitsAt = offsetsAt + lines(4 * queries * blocks);
  }

  static int frameBytes(AttentionShape shape, int queries) {
    int blocks = shape.headDim() / BLOCK;
    return lines(2 * queries * shape.headDim())
        + 64 * HALF
        + lines(4 * queries * blocks)
        + lines(4 * queries);
  }

  private static int lines(int bytes) {
    return (bytes + 63) / 64 * 64;
  }

  /** Rounds the queries. */
  void begin() {
    for (int query = 0; query < queries; query++) {
      a.mov(MEMORY, at(ARGUMENTS, AttentionArguments.SOURCES + 8 * query));
      Vector factor = Vector.zmm(7);
      unit(query, factor);
      a.lea(OPERAND, at(Gpr.RSP, queriesAt + 8 * query));
      a.lea(OFFSETS, at(Gpr.RSP, offsetsAt + 4 * query));
      a.mov(COUNTER, blocks);
      k.loop(
          COUNTER,
          () -> {
            roundBlock(factor);
            a.add(MEMORY, 4 * BLOCK);
            a.add(OPERAND, group(BLOCK / 4));
            a.add(OFFSETS, 4 * queries);
          });
    }
  }

  /** What the query's integers are multiples of, and its inverse for all lanes. */
  private void unit(int query, Vector factor) {
    Vector top = Vector.zmm(0);
    Vector other = Vector.zmm(1);
    k.zero(top);
    for (int i = 0; i < shape.headDim(); i += 16) {
      a.v(VMOVUPS, other, at(MEMORY, 4 * i));
      a.v(VPANDD, other, other, k.ints(0x7FFF_FFFF).toAll());
      a.v(VMAXPS, top, top, other);
    }
    IntegerDigits.factor(k, top, other, factor);
    a.v(
        VMULSS,
        top.x(),
        top.x(),
        k.scalar(shape.scale() * ExponentialCode.LOG2_E / IntegerDigits.MOST));
    a.v(VMOVSS, at(Gpr.RSP, unitsAt + 4 * query), top.x());
  }

  private void roundBlock(Vector factor) {
    Vector[] x = {Vector.zmm(0), Vector.zmm(1)};
    Vector word = Vector.xmm(2);
    for (int i = 0; i < x.length; i++) {
      a.v(VMULPS, x[i], factor, at(MEMORY, 64 * i));
      a.v(VCVTPS2DQ, x[i], x[i]);
      // The scores' place is free as yet.
      IntegerDigits.emit(k, x[i], Vector.zmm(3), true, at(Gpr.RSP, scoresAt), 16);
      for (int j = 0; j < 8; j++) {
        a.v(VMOVSS, word, at(Gpr.RSP, scoresAt + 4 * j));
        a.v(VMOVSS, at(OPERAND, group(4 * i + j % 4) + 4 * (j / 4)), word);
      }
    }
    a.v(VPADDD, x[0], x[0], x[1]);
    IntegerDigits.offset(k, x[0], x[1], nibbles ? 3 : 7);
    a.v(VMOVSS, at(OFFSETS), x[0].x());
  }

  /** Where in the rounded queries a group of four components begins. */
  private int group(int number) {
    return 8 * queries * number;
  }

  /** How much of the page's values has not been asked for meanwhile, in lines. */
  int linesLeft() {
    int asked = blocks * quantBytes / 4 * (linesPerGroup(0) + linesPerGroup(1));
    return blocks * (quantBytes + Short.BYTES) - asked;
  }

  private static int linesPerGroup(int half) {
    return half == 0 ? 2 : 1;
  }

  /** The scores of a page, into the frame: [queries][PAGE] floats. */
  void scores() {
    ahead.toValues();
    Vector zero = Vector.zmm(0);
    k.zero(zero);
    for (int i = 0; i < queries * PARTS; i++) {
      a.v(VMOVUPS, at(Gpr.RSP, scoresAt + 64 * i), zero);
    }
    a.v(VPBROADCASTD, BITS, nibbles ? k.bytes32(15) : k.bytes32(0x80));
    for (int half = 0; half < 2; half++) {
      int side = half;
      a.mov(MEMORY, PAGE_BASE);
      a.add(MEMORY, at(ARGUMENTS, AttentionArguments.KEYS));
      a.lea(OPERAND, at(Gpr.RSP, queriesAt));
      a.lea(OFFSETS, at(Gpr.RSP, offsetsAt));
      k.repeat(
          blocks,
          BLOCKS,
          () -> {
            keyScales(side);
            block(side);
            a.add(OFFSETS, 4 * queries);
          });
    }
    for (int query = 0; query < queries; query++) {
      inOrder(query);
    }
  }

  /** The scales of two registers' tokens. */
  private void keyScales(int half) {
    Vector halves = KEYS[0];
    int[] words = new int[16];
    for (int i = 0; i < words.length; i++) {
      int part = HALF * half + i / 8;
      words[i] = i % 8 / 2 * 8 + 2 * part + i % 2;
    }
    a.v(VMOVUPS, OTHERS[0], at(MEMORY));
    a.v(VMOVUPS, halves, k.ints(words));
    a.v(VPERMI2D, halves, OTHERS[0], at(MEMORY, 64));
    a.v(VCVTPH2PS, OTHERS[0], halves.y());
    a.vi(VEXTRACTI64X4, 1, halves.y(), halves);
    a.v(VCVTPH2PS, OTHERS[1], halves.y());
    for (int part = 0; part < HALF; part++) {
      a.v(VMOVUPS, at(Gpr.RSP, scalesAt + 64 * part), OTHERS[part]);
    }
    a.add(MEMORY, 2 * PAGE);
  }

  private void block(int half) {
    for (int query = 0; query < queries; query++) {
      for (int part = 0; part < HALF; part++) {
        k.zero(sum(query, 0, part));
        a.v(VPBROADCASTD, sum(query, 1, part), at(OFFSETS, 4 * query));
      }
    }
    a.mov(COUNTER, quantBytes / 4);
    k.loop(
        COUNTER,
        () -> {
          ahead.ask(linesPerGroup(half));
          interleave(half);
          if (nibbles) {
            for (int part = 0; part < HALF; part++) {
              a.vi(VPSRLW, 4, OTHERS[part], KEYS[part]);
              a.v(VPANDD, OTHERS[part], OTHERS[part], BITS);
              a.v(VPANDD, KEYS[part], KEYS[part], BITS);
            }
            multiply(KEYS, 0);
            multiply(OTHERS, group(BLOCK / 8));
          } else {
            for (int part = 0; part < HALF; part++) {
              a.v(VPXORD, KEYS[part], KEYS[part], BITS);
            }
            multiply(KEYS, 0);
          }
          a.add(MEMORY, 4 * PAGE);
          a.add(OPERAND, group(1));
        });
    if (nibbles) {
      a.add(OPERAND, group(BLOCK / 8));
    }
    a.lea(SCORES, at(Gpr.RSP, scoresAt + 64 * HALF * half));
    for (int query = 0; query < queries; query++) {
      for (int part = 0; part < HALF; part++) {
        Vector product = sum(query, 0, part);
        Vector score = KEYS[part];
        a.vi(VPSLLD, 8, product, product);
        a.v(VPADDD, product, product, sum(query, 1, part));
        a.v(VCVTDQ2PS, product, product);
        a.v(VMOVUPS, score, at(SCORES, 4 * PAGE * query + 64 * part));
        a.v(VFMADD231PS, score, product, at(Gpr.RSP, scalesAt + 64 * part));
        a.v(VMOVUPS, at(SCORES, 4 * PAGE * query + 64 * part), score);
      }
    }
  }

  /** Four rows of keys: four components of a token together, of half the tokens. */
  private void interleave(int half) {
    Instruction bytes = half == 0 ? VPUNPCKLBW : VPUNPCKHBW;
    for (int pair = 0; pair < 2; pair++) {
      a.v(VMOVUPS, OTHERS[pair], at(MEMORY, 2 * pair * PAGE));
      a.v(bytes, OTHERS[pair], OTHERS[pair], at(MEMORY, (2 * pair + 1) * PAGE));
    }
    a.v(VPUNPCKLWD, KEYS[0], OTHERS[0], OTHERS[1]);
    a.v(VPUNPCKHWD, KEYS[1], OTHERS[0], OTHERS[1]);
  }

  private void multiply(Vector[] keys, int group) {
    for (int query = 0; query < queries; query++) {
      for (int digit = 0; digit < 2; digit++) {
        a.v(VPBROADCASTD, DIGITS[digit], at(OPERAND, group + 8 * query + 4 * digit));
        for (int part = 0; part < HALF; part++) {
          a.v(VPDPBUSD, sum(query, digit, part), keys[part], DIGITS[digit]);
        }
      }
    }
  }

  /** Brings a query's scores into the order of the tokens, and to their unit. */
  private void inOrder(int query) {
    Vector[] quarters = new Vector[PARTS];
    Vector[] pairs = new Vector[PARTS];
    for (int i = 0; i < PARTS; i++) {
      quarters[i] = Vector.zmm(i);
      pairs[i] = Vector.zmm(PARTS + i);
      a.v(VMOVUPS, quarters[i], at(Gpr.RSP, scoresAt + 4 * PAGE * query + 64 * i));
    }
    Vector unit = Vector.zmm(2 * PARTS);
    a.v(VBROADCASTSS, unit, at(Gpr.RSP, unitsAt + 4 * query));
    for (int i = 0; i < 2; i++) {
      int which = i == 0 ? 0x44 : 0xEE;
      a.vi(VSHUFI32X4, which, pairs[2 * i], quarters[0], quarters[1]);
      a.vi(VSHUFI32X4, which, pairs[2 * i + 1], quarters[2], quarters[3]);
    }
    for (int i = 0; i < PARTS; i++) {
      int which = i % 2 == 0 ? 0x88 : 0xDD;
      Vector score = quarters[i];
      a.vi(VSHUFI32X4, which, score, pairs[i / 2 * 2], pairs[i / 2 * 2 + 1]);
      a.v(VMULPS, score, score, unit);
      a.v(VMOVUPS, at(Gpr.RSP, scoresAt + 4 * PAGE * query + 64 * i), score);
    }
  }

  private static Vector sum(int query, int digit, int part) {
    return Vector.zmm(2 * HALF * query + HALF * digit + part);
  }
}
