package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTI32X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPS2DQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VINSERTI32X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VINSERTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPADDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPANDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPDPBUSD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMI2D;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMT2W;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSHUFB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRAD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSUBD;
import static org.llamaj.kernel.x86.attention.AttentionCode.ARGUMENTS;
import static org.llamaj.kernel.x86.attention.AttentionCode.COUNTER;
import static org.llamaj.kernel.x86.attention.AttentionCode.MEMORY;
import static org.llamaj.kernel.x86.attention.AttentionCode.OPERAND;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE_BASE;
import static org.llamaj.kernel.x86.attention.AttentionCode.SLOTS;

import java.util.stream.IntStream;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/**
 * Emits the sums of the quantised values of a page, weighted as queries want them, in integers. The
 * weight of a token, times the scale of its block of values, is rounded to 16 bits: to a 32000th of
 * the greatest on the page. They are two digits of 8 bits ({@link IntegerDigits}). The scales of
 * Q8_0 are not negative, so that digits may be the unsigned ones of the two that instructions
 * multiply, and values the signed ones; with Q4_0 it is the other way round, and the quants are
 * what they are in memory, 8 too much, which is taken back at the beginning of each sum.
 *
 * <p>An instruction adds up four tokens of a component. So the blocks of four tokens are turned:
 * first by words of four components, then by bytes.
 */
final class IntegerValueCode {
  private static final int BLOCK = QuantizedPage.BLOCK;
  private static final int PARTS = PAGE / 16;

  /** Registers that a block of components takes. */
  private static final int HALVES = BLOCK / 16;

  private static final Gpr BLOCKS = Gpr.R8;
  private static final Gpr OUTPUTS = Gpr.R9;
  private static final Gpr VALUES = Gpr.R10;
  private static final Gpr SCALES = Gpr.RSI;

  private static final Vector[] TURNED = {Vector.zmm(24), Vector.zmm(25)};
  private static final Vector[] ROWS = {Vector.zmm(26), Vector.zmm(27)};
  private static final Vector[] DIGITS = {Vector.zmm(28), Vector.zmm(29)};
  private static final Vector LOW = Vector.zmm(30);
  private static final Vector TURN = Vector.zmm(31);

  private final AttentionShape shape;
  private final int queries;
  private final boolean nibbles;
  private final int blocks;
  private final int quantBytes;
  private final int scoresAt;
  private final int outputsAt;
  private final int factorsAt;

  /** [queries]{upper, lower}[PAGE] bytes. */
  private final int digitsAt;

  /** All bits of a token that is there, none of others: [PAGE] integers. */
  private final int presentAt;

  /** Which halves of two registers are the scales of 16 tokens in the block at hand. */
  private final int placesAt;

  /** [queries]: the greatest weight, its inverse, what an integer is worth; an integer. */
  private final int maximaAt;

  private final int inversesAt;
  private final int unitsAt;
  private final int offsetsAt;
  private final KernelBuilder k;
  private final Ahead ahead;
  private final Assembler a;

  /**
   * @param scoresAt where in the frame weights are: [queries][PAGE] floats
   * @param outputsAt where in the frame weighted values add up: [queries][headDim] floats
   * @param factorsAt where in the frame the factors are, by which they are multiplied before
   * @param frameAt where in the frame {@link #frameBytes} are free
   */
  IntegerValueCode(
      AttentionShape shape,
      int queries,
      int scoresAt,
      int outputsAt,
      int factorsAt,
      int frameAt,
      KernelBuilder k,
      Ahead ahead) {
    this.shape = shape;
    this.queries = queries;
    this.scoresAt = scoresAt;
    this.outputsAt = outputsAt;
    this.factorsAt = factorsAt;
    this.k = k;
    this.ahead = ahead;
    a = k.a;
    QuantizedPage layout = new QuantizedPage(shape);
    nibbles = shape.cacheType() == CacheType.Q4_0;
    blocks = layout.blocks();
    quantBytes = layout.quantBytes();
    digitsAt = frameAt;
    presentAt = digitsAt + 2 * PAGE * queries;
    placesAt = presentAt + 4 * PAGE;
    maximaAt = placesAt + 64;
    inversesAt = maximaAt + 64;
    unitsAt = inversesAt + 64;
    offsetsAt = unitsAt + 64;
  }

  static int frameBytes(int queries) {
    return 2 * PAGE * queries + 4 * PAGE + 5 * 64;
  }

  /** Whether there is code for the shape: a permutation finds the scales of 16 tokens. */
  static boolean supports(AttentionShape shape) {
    int blocks = shape.headDim() / BLOCK;
    return shape.cacheType().isQuantized()
        && shape.headDim() % BLOCK == 0
        && (blocks == 1 || blocks == 2 || blocks == 4);
  }

  /** outputs = outputs x factor + weights x values. */
  void values() {
    ahead.toNextKeys();
    present();
    maxima();
    a.v(VMOVUPS, ROWS[0], places());
    a.v(VMOVUPS, at(Gpr.RSP, placesAt), ROWS[0]);
    a.mov(VALUES, PAGE_BASE);
    a.add(VALUES, at(ARGUMENTS, AttentionArguments.VALUES));
    a.lea(SCALES, at(VALUES, PAGE * blocks * quantBytes));
    a.lea(OUTPUTS, at(Gpr.RSP, outputsAt));
    a.v(VBROADCASTI32X4, TURN, turn());
    if (nibbles) {
      a.v(VPBROADCASTD, LOW, k.bytes32(15));
    }
    k.repeat(
        blocks,
        BLOCKS,
        () -> {
          weights();
          products();
          add();
          a.add(VALUES, quantBytes);
          a.add(OUTPUTS, 4 * BLOCK);
        });
  }

  private void present() {
    Vector count = Vector.zmm(0);
    Vector slot = Vector.zmm(1);
    a.vmovd(count.x(), SLOTS);
    a.v(VPBROADCASTD, count, count.x());
    for (int part = 0; part < PARTS; part++) {
      int first = 16 * part;
      a.v(VMOVUPS, slot, k.ints(IntStream.range(first, first + 16).toArray()));
      a.v(VPSUBD, slot, slot, count);
      a.vi(VPSRAD, 31, slot, slot);
      a.v(VMOVUPS, at(Gpr.RSP, presentAt + 64 * part), slot);
    }
  }

  /** The greatest weights on the page. */
  private void maxima() {
    Vector inverse = Vector.ymm(2);
    for (int query = 0; query < queries; query++) {
      Vector top = Vector.zmm(query % 2);
      a.v(VMOVUPS, top, at(Gpr.RSP, weightsAt(query, 0)));
      for (int part = 1; part < PARTS; part++) {
        a.v(VMAXPS, top, top, at(Gpr.RSP, weightsAt(query, part)));
      }
      k.maxLanes(top, Vector.zmm(2 + query % 2));
      a.v(VMOVSS, at(Gpr.RSP, maximaAt + 4 * query), top.x());
    }
    a.v(VMOVUPS, inverse, k.float8(1));
    a.v(VDIVPS, inverse, inverse, at(Gpr.RSP, maximaAt));
    a.v(VMOVUPS, at(Gpr.RSP, inversesAt), inverse);
  }

  private int weightsAt(int query, int part) {
    return scoresAt + 4 * PAGE * query + 64 * part;
  }

  /** Weights x scales of a block, as digits. */
  private void weights() {
    Vector[] scales = {Vector.zmm(4), Vector.zmm(5), Vector.zmm(6), Vector.zmm(7)};
    Vector top = Vector.zmm(0);
    Vector other = Vector.zmm(1);
    Vector factor = Vector.zmm(2);
    for (int part = 0; part < PARTS; part++) {
      scales(part, scales[part]);
      a.v(VPANDD, scales[part], scales[part], at(Gpr.RSP, presentAt + 64 * part));
      a.v(VPANDD, part == 0 ? top : other, scales[part], k.ints(0x7FFF_FFFF).toAll());
      if (part > 0) {
        a.v(VMAXPS, top, top, other);
      }
    }
    a.v(VMOVUPS, other, at(Gpr.RSP, placesAt));
    a.v(VPADDD, other, other, k.ints(0x0001_0001).toAll());
    a.v(VMOVUPS, at(Gpr.RSP, placesAt), other);
    IntegerDigits.factor(k, top, other, factor);
    for (Vector scale : scales) {
      a.v(VMULPS, scale, scale, factor);
    }
    a.v(VMULSS, top.x(), top.x(), k.scalar(1 / IntegerDigits.MOST));
    for (int query = 0; query < queries; query++) {
      a.v(VMULSS, other.x(), top.x(), at(Gpr.RSP, maximaAt + 4 * query));
      a.v(VMOVSS, at(Gpr.RSP, unitsAt + 4 * query), other.x());
    }
    for (int query = 0; query < queries; query++) {
      digits(query, scales);
    }
  }

  private void digits(int query, Vector[] scales) {
    Vector inverse = Vector.zmm(8);
    Vector sum = Vector.zmm(9);
    a.v(VBROADCASTSS, inverse, at(Gpr.RSP, inversesAt + 4 * query));
    for (int part = 0; part < PARTS; part++) {
      Vector weight = Vector.zmm(10 + 2 * (part % 2));
      Vector other = Vector.zmm(11 + 2 * (part % 2));
      ahead.askShare(quantBytes / 2, PARTS * query + part, PARTS * queries);
      a.v(VMULPS, weight, inverse, at(Gpr.RSP, weightsAt(query, part)));
      a.v(VMULPS, weight, weight, scales[part]);
      a.v(VCVTPS2DQ, weight, weight);
      Address upper = at(Gpr.RSP, digitsAt + 2 * PAGE * query + 16 * part);
      IntegerDigits.emit(k, weight, other, nibbles, upper, PAGE);
      if (nibbles && part == 0) {
        a.v(VMOVUPS, sum, weight);
      } else if (nibbles) {
        a.v(VPADDD, sum, sum, weight);
      }
    }
    if (nibbles) {
      IntegerDigits.offset(k, sum, inverse, 3);
      a.v(VMOVSS, at(Gpr.RSP, offsetsAt + 4 * query), sum.x());
    }
  }

  /** The scales of 16 tokens in the block at hand; those of a token are together. */
  private void scales(int part, Vector to) {
    int first = 2 * 16 * blocks * part;
    if (blocks == 1) {
      a.v(VCVTPH2PS, to, at(SCALES, first));
      return;
    }
    a.v(VMOVUPS, to, at(SCALES, first));
    a.v(VMOVUPS, Vector.zmm(3), at(Gpr.RSP, placesAt));
    if (blocks == 2) {
      a.v(VPERMT2W, to, Vector.zmm(3), to);
    } else {
      a.v(VPERMT2W, to, Vector.zmm(3), at(SCALES, first + 64));
    }
    a.v(VCVTPH2PS, to, to.y());
  }

  private Address places() {
    return k.ints(
        IntStream.range(0, 16)
            .map(i -> i < 8 ? 2 * i * blocks | (2 * i + 1) * blocks << 16 : 0)
            .toArray());
  }

  /** The bytes of 4 x 4, from one after the other to one below the other. */
  private Address turn() {
    return k.ints(0x0C08_0400, 0x0D09_0501, 0x0E0A_0602, 0x0F0B_0703);
  }

  private void products() {
    for (int query = 0; query < queries; query++) {
      for (int half = 0; half < HALVES; half++) {
        k.zero(sum(query, 0, half));
        if (nibbles) {
          a.v(VPBROADCASTD, sum(query, 1, half), at(Gpr.RSP, offsetsAt + 4 * query));
        } else {
          k.zero(sum(query, 1, half));
        }
      }
    }
    a.mov(MEMORY, VALUES);
    a.lea(OPERAND, at(Gpr.RSP, digitsAt));
    a.mov(COUNTER, PAGE / 8);
    k.loop(
        COUNTER,
        () -> {
          ahead.ask(quantBytes / 16);
          for (int group = 0; group < 2; group++) {
            if (nibbles) {
              turnNibbles(group);
            } else {
              turnBytes(group);
            }
            multiply(4 * group);
          }
          a.add(MEMORY, 8 * blocks * quantBytes);
          a.add(OPERAND, 8);
        });
    ahead.ask(Short.BYTES);
  }

  private void turnBytes(int group) {
    for (int pair = 0; pair < 2; pair++) {
      a.v(VMOVUPS, ROWS[pair].y(), row(4 * group + 2 * pair));
      a.vi(VINSERTI64X4, 1, ROWS[pair], ROWS[pair], row(4 * group + 2 * pair + 1));
    }
    for (int half = 0; half < HALVES; half++) {
      int[] words = new int[16];
      for (int i = 0; i < words.length; i++) {
        words[i] = 8 * (i % 4) + 4 * half + i / 4;
      }
      a.v(VMOVUPS, TURNED[half], k.ints(words));
      a.v(VPERMI2D, TURNED[half], ROWS[0], ROWS[1]);
      a.v(VPSHUFB, TURNED[half], TURNED[half], TURN);
    }
  }

  private void turnNibbles(int group) {
    a.v(VMOVUPS, ROWS[0].x(), row(4 * group));
    for (int i = 1; i < 4; i++) {
      a.vi(VINSERTI32X4, i, ROWS[0], ROWS[0], row(4 * group + i));
    }
    int[] words = new int[16];
    for (int i = 0; i < words.length; i++) {
      words[i] = 4 * (i % 4) + i / 4;
    }
    a.v(VMOVUPS, TURNED[0], k.ints(words));
    a.v(VPERMD, TURNED[0], TURNED[0], ROWS[0]);
    a.v(VPSHUFB, TURNED[0], TURNED[0], TURN);
    a.vi(VPSRLW, 4, TURNED[1], TURNED[0]);
    a.v(VPANDD, TURNED[0], TURNED[0], LOW);
    a.v(VPANDD, TURNED[1], TURNED[1], LOW);
  }

  /** The block at hand of one of eight tokens. */
  private Address row(int token) {
    return at(MEMORY, token * blocks * quantBytes);
  }

  private void multiply(int tokens) {
    for (int query = 0; query < queries; query++) {
      for (int digit = 0; digit < 2; digit++) {
        Vector weight = DIGITS[digit];
        a.v(VPBROADCASTD, weight, at(OPERAND, PAGE * (2 * query + digit) + tokens));
        for (int half = 0; half < HALVES; half++) {
          Vector value = TURNED[half];
          a.v(
              VPDPBUSD,
              sum(query, digit, half),
              nibbles ? value : weight,
              nibbles ? weight : value);
        }
      }
    }
  }

  private void add() {
    Vector factor = Vector.zmm(26);
    Vector unit = Vector.zmm(27);
    for (int query = 0; query < queries; query++) {
      a.v(VBROADCASTSS, factor, at(Gpr.RSP, factorsAt + 4 * query));
      a.v(VBROADCASTSS, unit, at(Gpr.RSP, unitsAt + 4 * query));
      for (int half = 0; half < HALVES; half++) {
        Vector product = sum(query, 0, half);
        Vector output = TURNED[half];
        Address place = at(OUTPUTS, 4 * (query * shape.headDim() + 16 * half));
        a.vi(VPSLLD, 8, product, product);
        a.v(VPADDD, product, product, sum(query, 1, half));
        a.v(VCVTDQ2PS, product, product);
        a.v(VMULPS, output, factor, place);
        a.v(VFMADD231PS, output, product, unit);
        a.v(VMOVUPS, place, output);
      }
    }
  }

  private static Vector sum(int query, int digit, int half) {
    return Vector.zmm(2 * HALVES * query + HALVES * digit + half);
  }
}
