package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMINPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VSUBPS;

import java.util.stream.IntStream;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.ExponentialCode;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;

/**
 * Attention of a few queries to the pages of one key/value head, page by page with a running
 * maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2022). Keys and values are read once for
 * all queries: heads of a group, and neighbouring rows of a prompt.
 *
 * <p>Scores lie with one token in each lane (keys are stored transposed), weighted values with one
 * component in each lane; the other operand is given to all lanes. Scores are in units of log 2.
 * With VNNI, quantised keys and values meet queries and weights in integers ({@link
 * IntegerScoreCode}, {@link IntegerValueCode}).
 */
public final class AttentionCode {
  static final int PAGE = AttentionShape.PAGE_TOKENS;

  /** Far below any score, and below that what a query does not see. */
  static final float NEVER = 1e30f;

  static final Gpr ARGUMENTS = Gpr.RDI;
  private static final Gpr PAGES = Gpr.RBX;
  private static final Gpr PAGES_LEFT = Gpr.R12;
  static final Gpr PAGE_BASE = Gpr.R13;
  static final Gpr SLOTS = Gpr.R14;

  /** Distance from this page to the next. */
  static final Gpr TO_NEXT = Gpr.R15;

  static final Gpr COUNTER = Gpr.RAX;
  static final Gpr MEMORY = Gpr.RCX;
  static final Gpr OPERAND = Gpr.RDX;

  private final AttentionShape shape;
  private final int queries;
  private final boolean wide;
  private final int bits;
  private final int lanes;

  /** Registers that one query's sums take. */
  private final int perQuery;

  private final int queriesAt;
  private final int scoresAt;
  private final int outputsAt;
  private final int sumsAt;
  private final int maximaAt;
  private final int factorsAt;
  private final int endsAt;
  private final int startsAt;

  /** For products of floats; else null, and the other two are not. */
  private final PageReader pages;

  private final IntegerScoreCode integerScores;
  private final IntegerValueCode integerValues;
  private final Ahead ahead;
  private final KernelBuilder k;
  private final Assembler a;

  private AttentionCode(AttentionShape shape, int queries, Level level) {
    this.shape = shape;
    this.queries = queries;
    wide = level.has(Feature.AVX512) && shape.headDim() % 16 == 0;
    bits = wide ? 512 : 256;
    lanes = bits / 32;
    perQuery = wide ? 4 : 2;
    int floats = 0;
    queriesAt = 4 * floats;
    floats += roundUp(queries * shape.headDim());
    scoresAt = 4 * floats;
    floats += queries * PAGE;
    outputsAt = 4 * floats;
    floats += roundUp(queries * shape.headDim());
    sumsAt = 4 * floats;
    floats += queries * 16;
    maximaAt = 4 * floats;
    floats += 16;
    factorsAt = 4 * floats;
    floats += 16;
    endsAt = 4 * floats;
    floats += 16;
    startsAt = 4 * floats;
    floats += 16;
    int pagesAt = 4 * floats;
    if (level.has(Feature.AVX512_VNNI) && IntegerValueCode.supports(shape)) {
      int valuesAt = pagesAt + IntegerScoreCode.frameBytes(shape, queries);
      k = new KernelBuilder(valuesAt + IntegerValueCode.frameBytes(queries));
      pages = null;
      ahead = new Ahead(k.a);
      integerScores = new IntegerScoreCode(shape, queries, scoresAt, pagesAt, k, ahead);
      integerValues =
          new IntegerValueCode(shape, queries, scoresAt, outputsAt, factorsAt, valuesAt, k, ahead);
    } else if (shape.cacheType().isQuantized()) {
      k = new KernelBuilder(pagesAt + 4 * QuantizedPageReader.frameFloats(shape));
      pages = new QuantizedPageReader(shape, k, loadedRegisters(), pagesAt, true);
      integerScores = null;
      integerValues = null;
      ahead = null;
    } else {
      k = new KernelBuilder(pagesAt);
      pages = new FloatPageReader(shape, k, loadedRegisters(), true);
      integerScores = null;
      integerValues = null;
      ahead = null;
    }
    a = k.a;
  }

  private static int roundUp(int floats) {
    return (floats + 15) / 16 * 16;
  }

  /** Whether there is code for the shape. */
  public static boolean supports(AttentionShape shape) {
    int multiple = shape.cacheType().isQuantized() ? QuantizedPage.BLOCK : 8;
    return shape.headDim() % multiple == 0 && shape.headDim() <= 512;
  }

  /**
   * Argument: address of the {@link AttentionArguments}.
   *
   * @param queries 1 to {@link AttentionArguments#MOST_QUERIES}
   */
  static byte[] assemble(AttentionShape shape, int queries, Level level) {
    return new AttentionCode(shape, queries, level).assemble();
  }

  private byte[] assemble() {
    begin();
    a.mov(PAGES, at(ARGUMENTS, AttentionArguments.PAGES));
    a.mov(PAGES_LEFT, at(ARGUMENTS, AttentionArguments.PAGE_COUNT));
    k.loop(
        PAGES_LEFT,
        () -> {
          a.mov(PAGE_BASE, at(PAGES));
          a.add(PAGES, 8);
          Label last = new Label();
          Label known = new Label();
          a.cmp(PAGES_LEFT, 1);
          a.j(Condition.EQUAL, last);
          a.mov(SLOTS, PAGE);
          a.mov(TO_NEXT, at(PAGES));
          a.sub(TO_NEXT, PAGE_BASE);
          a.jmp(known);
          a.bind(last);
          a.mov(SLOTS, at(ARGUMENTS, AttentionArguments.LAST_SLOTS));
          a.xor(TO_NEXT, TO_NEXT);
          a.bind(known);
          scores();
          maxima();
          for (int query = 0; query < queries; query++) {
            weights(query);
          }
          values();
        });
    for (int query = 0; query < queries; query++) {
      end(query);
    }
    return k.finish();
  }

  /** Prepares the queries; clears sums. */
  private void begin() {
    if (integerScores != null) {
      integerScores.begin();
    } else {
      interleaveQueries();
    }
    clearSums();
  }

  /** So that the same component of all queries is together; scaled. */
  private void interleaveQueries() {
    Vector x = Vector.xmm(0);
    float scale = shape.scale() * ExponentialCode.LOG2_E;
    for (int query = 0; query < queries; query++) {
      a.mov(MEMORY, at(ARGUMENTS, AttentionArguments.SOURCES + 8 * query));
      a.lea(OPERAND, at(Gpr.RSP, queriesAt + 4 * query));
      a.mov(COUNTER, shape.headDim());
      k.loop(
          COUNTER,
          () -> {
            a.v(VMOVSS, x, at(MEMORY));
            a.v(VMULSS, x, x, k.scalar(scale));
            a.v(VMOVSS, at(OPERAND), x);
            a.add(MEMORY, 4);
            a.add(OPERAND, 4 * queries);
          });
    }
  }

  private void clearSums() {
    Vector zero = Vector.ymm(0);
    k.zero(zero);
    a.lea(OPERAND, at(Gpr.RSP, outputsAt));
    a.mov(COUNTER, roundUp(queries * shape.headDim()) / 8);
    k.loop(
        COUNTER,
        () -> {
          a.v(VMOVUPS, at(OPERAND), zero);
          a.add(OPERAND, 32);
        });
    for (int query = 0; query < queries; query++) {
      a.v(VMOVUPS, at(Gpr.RSP, sumsAt + 64 * query), zero);
      a.v(VMOVUPS, at(Gpr.RSP, sumsAt + 64 * query + 32), zero);
    }
    Vector lowest = Vector.ymm(1);
    a.v(VMOVUPS, lowest, k.float8(-NEVER));
    a.v(VMOVUPS, at(Gpr.RSP, maximaAt), lowest);
    a.v(VMOVUPS, lowest, at(ARGUMENTS, AttentionArguments.ENDS));
    a.v(VMOVUPS, at(Gpr.RSP, endsAt), lowest);
    a.v(VMOVUPS, lowest, at(ARGUMENTS, AttentionArguments.STARTS));
    a.v(VMOVUPS, at(Gpr.RSP, startsAt), lowest);
  }

  /** Scores of a page's slots, into the frame. */
  private void scores() {
    if (integerScores != null) {
      integerScores.scores();
      return;
    }
    pages.begin();
    for (int slot = 0; slot < PAGE; slot += perQuery * lanes) {
      scores(slot);
    }
  }

  /** Scores of the slots from the given one on, as many as the registers hold, into the frame. */
  private void scores(int slot) {
    for (int i = 0; i < queries * perQuery; i++) {
      k.zero(register(i));
    }
    a.lea(OPERAND, at(Gpr.RSP, queriesAt));
    pages.keys(slot, perQuery, 4 * queries, (parts, offset) -> multiply(parts, offset, 4));
    for (int query = 0; query < queries; query++) {
      for (int part = 0; part < perQuery; part++) {
        a.v(
            VMOVUPS,
            at(Gpr.RSP, scoresAt + 4 * (query * PAGE + slot + part * lanes)),
            sum(query, part));
      }
    }
  }

  /**
   * Asks for the same bytes of the next page, from MEMORY on: hardware does not know where that is.
   */
  static void askForNextPage(Assembler a, int displacement, int bytes) {
    for (int line = 0; line < bytes; line += 64) {
      a.prefetcht0(at(MEMORY, TO_NEXT, 1, displacement + line));
    }
  }

  /** The registers for cached values; there are others for the sums, and for operands. */
  private Vector[] loadedRegisters() {
    int first = wide ? queries * perQuery : 2 * AttentionArguments.MOST_QUERIES;
    return IntStream.range(first, first + perQuery).mapToObj(this::register).toArray(Vector[]::new);
  }

  /** sums += cached values x the queries' operands. */
  private void multiply(int parts, int operandOffset, int queryStride) {
    Vector[] loaded = loadedRegisters();
    for (int query = 0; query < queries; query++) {
      // Once into a register: as an operand in memory it would be loaded for each product.
      Vector operand = register(wide ? 28 + query % 4 : 14 + query % 2);
      a.v(VBROADCASTSS, operand, at(OPERAND, operandOffset + query * queryStride));
      for (int part = 0; part < parts; part++) {
        a.v(VFMADD231PS, sum(query, part), loaded[part], operand);
      }
    }
  }

  /** Hides what a query does not see; new maxima, and the factors for what was summed before. */
  private void maxima() {
    int vectors = PAGE / lanes;
    Vector end = register(8);
    Vector start = register(9);
    Vector limit = register(10);
    Vector other = register(11);
    Vector top = Vector.xmm(12);
    a.v(VMOVUPS, Vector.ymm(13), at(Gpr.RSP, maximaAt));
    a.v(VMOVUPS, at(Gpr.RSP, factorsAt), Vector.ymm(13));
    for (int query = 0; query < queries; query++) {
      askMeanwhile(query * (1 + PAGE / lanes));
      a.v(VBROADCASTSS, end, at(Gpr.RSP, endsAt + 4 * query));
      a.v(VBROADCASTSS, start, at(Gpr.RSP, startsAt + 4 * query));
      for (int i = 0; i < vectors; i++) {
        Vector score = register(i);
        Address slots = slotNumbers(i);
        a.v(VMOVUPS, score, at(Gpr.RSP, scoresAt + 4 * (query * PAGE + i * lanes)));
        // Positive where seen, else negative; huge in both cases.
        a.v(VSUBPS, limit, end, slots);
        a.v(VMULPS, limit, limit, k.all(NEVER, bits));
        // The second operand also wins over a score that is not a number.
        a.v(VMINPS, score, score, limit);
        if (shape.chunk() > 0) {
          a.v(VMOVUPS, limit, slots);
          a.v(VSUBPS, limit, limit, start);
          a.v(VMULPS, limit, limit, k.all(NEVER, bits));
          a.v(VMINPS, score, score, limit);
        }
        a.v(VMOVUPS, at(Gpr.RSP, scoresAt + 4 * (query * PAGE + i * lanes)), score);
      }
      for (int i = 1; i < vectors; i++) {
        a.v(VMAXPS, register(0), register(0), register(i));
      }
      k.maxLanes(register(0), other);
      a.v(VMOVSS, top, at(Gpr.RSP, maximaAt + 4 * query));
      a.v(VMAXSS, top, top, Vector.xmm(0));
      a.v(VMOVSS, at(Gpr.RSP, maximaAt + 4 * query), top);
    }
    Vector factor = Vector.ymm(0);
    Vector power = Vector.ymm(2);
    a.v(VMOVUPS, factor, at(Gpr.RSP, factorsAt));
    a.v(VSUBPS, factor, factor, at(Gpr.RSP, maximaAt));
    ExponentialCode.emitUpTo0(k, factor, Vector.ymm(1), power);
    a.v(VMOVUPS, at(Gpr.RSP, factorsAt), power);
    Vector page = Vector.ymm(3);
    a.v(VMOVUPS, page, k.float8(PAGE));
    for (int place : new int[] {endsAt, startsAt}) {
      a.v(VMOVUPS, power, at(Gpr.RSP, place));
      a.v(VSUBPS, power, power, page);
      a.v(VMOVUPS, at(Gpr.RSP, place), power);
    }
  }

  /** One of many steps between the keys of a page and its values. */
  private void askMeanwhile(int step) {
    if (integerScores != null) {
      ahead.askShare(integerScores.linesLeft(), step, queries * (1 + PAGE / lanes));
    }
  }

  private Address slotNumbers(int vector) {
    int[] bitsOfFloats =
        IntStream.range(0, lanes)
            .map(lane -> Float.floatToRawIntBits(vector * lanes + lane))
            .toArray();
    return k.ints(bitsOfFloats);
  }

  /** Scores become weights, 2^(score - maximum); sums of weights, lane by lane. */
  private void weights(int query) {
    Vector maximum = register(8);
    Vector total = register(9);
    a.v(VBROADCASTSS, maximum, at(Gpr.RSP, maximaAt + 4 * query));
    a.v(VBROADCASTSS, total, at(Gpr.RSP, factorsAt + 4 * query));
    a.v(VMULPS, total, total, at(Gpr.RSP, sumsAt + 64 * query));
    for (int i = 0; i < PAGE / lanes; i++) {
      askMeanwhile(query * (1 + PAGE / lanes) + 1 + i);
      Address place = at(Gpr.RSP, scoresAt + 4 * (query * PAGE + i * lanes));
      // Two sets of registers, so that neighbouring vectors do not wait for each other.
      Vector score = register(i % 2 * 3);
      Vector power = register(i % 2 * 3 + 2);
      a.v(VMOVUPS, score, place);
      a.v(VSUBPS, score, score, maximum);
      ExponentialCode.emitUpTo0(k, score, register(i % 2 * 3 + 1), power);
      a.v(VADDPS, total, total, power);
      a.v(VMOVUPS, place, power);
    }
    a.v(VMOVUPS, at(Gpr.RSP, sumsAt + 64 * query), total);
  }

  /** outputs = outputs x factor + weights x values. */
  private void values() {
    if (integerValues != null) {
      integerValues.values();
      return;
    }
    int columns = perQuery * lanes;
    for (int column = 0; column < shape.headDim(); column += columns) {
      values(column, Math.min(columns, shape.headDim() - column) / lanes);
    }
  }

  /** The same for a few columns. */
  private void values(int column, int parts) {
    for (int query = 0; query < queries; query++) {
      Vector factor = register(wide ? 24 : 12);
      a.v(VBROADCASTSS, factor, at(Gpr.RSP, factorsAt + 4 * query));
      for (int part = 0; part < parts; part++) {
        a.v(VMULPS, sum(query, part), factor, output(query, column + part * lanes));
      }
    }
    a.lea(OPERAND, at(Gpr.RSP, scoresAt));
    pages.values(column, parts, 4, (count, offset) -> multiply(count, offset, 4 * PAGE));
    for (int query = 0; query < queries; query++) {
      for (int part = 0; part < parts; part++) {
        a.v(VMOVUPS, output(query, column + part * lanes), sum(query, part));
      }
    }
  }

  /** Divides by the sum of the weights. */
  private void end(int query) {
    Vector total = register(0);
    a.v(VMOVUPS, total, at(Gpr.RSP, sumsAt + 64 * query));
    k.sumLanes(total, register(1));
    a.v(VMOVSS, at(ARGUMENTS, AttentionArguments.SUMS + 4 * query), total.x());
    a.v(VMOVSS, Vector.xmm(1), at(Gpr.RSP, maximaAt + 4 * query));
    a.v(VMOVSS, at(ARGUMENTS, AttentionArguments.MAXIMA + 4 * query), Vector.xmm(1));
    a.v(VMOVSS, Vector.xmm(1), k.scalar(1));
    a.v(VDIVSS, Vector.xmm(1), Vector.xmm(1), total.x());
    a.v(VBROADCASTSS, total, Vector.xmm(1));
    a.mov(MEMORY, at(ARGUMENTS, AttentionArguments.TARGETS + 8 * query));
    for (int column = 0; column < shape.headDim(); column += lanes) {
      a.v(VMULPS, register(1), total, output(query, column));
      a.v(VMOVUPS, at(MEMORY, 4 * column), register(1));
    }
  }

  private Address output(int query, int column) {
    return at(Gpr.RSP, outputsAt + 4 * (query * shape.headDim() + column));
  }

  private Vector sum(int query, int part) {
    return register(query * perQuery + part);
  }

  private Vector register(int number) {
    return wide ? Vector.zmm(number) : Vector.ymm(number);
  }
}
