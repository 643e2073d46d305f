package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTF128;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMINPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHQDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKLDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKLQDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VSUBPS;
import static org.llamaj.kernel.x86.attention.AttentionCode.ARGUMENTS;
import static org.llamaj.kernel.x86.attention.AttentionCode.COUNTER;
import static org.llamaj.kernel.x86.attention.AttentionCode.MEMORY;
import static org.llamaj.kernel.x86.attention.AttentionCode.NEVER;
import static org.llamaj.kernel.x86.attention.AttentionCode.OPERAND;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE_BASE;
import static org.llamaj.kernel.x86.attention.AttentionCode.SLOTS;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.ExponentialCode;
import org.llamaj.kernel.x86.code.KernelBuilder;

/**
 * What {@link AttentionCode} does, for as many queries as a short prompt has: the keys of a page
 * are turned into floats once and lie in the first-level cache while all queries pass by, four at a
 * time; then its values. What a tile of four queries has got so far waits in memory in between.
 * Meanwhile the processor is asked for what comes next: the values of the page, the keys of the
 * next one.
 */
final class PromptAttentionCode {
  private static final int TILE = PromptArguments.TILE;

  /** Components, or tokens, that are multiplied in one round of a loop. */
  private static final int UNROLL = 4;

  private static final Gpr ROOM = Gpr.RBX;
  private static final Gpr TILES_LEFT = Gpr.R12;
  private static final Gpr FLOATS = Gpr.R10;

  /** What will be needed, and its end. */
  private static final Gpr AHEAD = Gpr.R15;

  private static final Gpr AHEAD_END = Gpr.R11;
  private static final Gpr PAGES = Gpr.RSI;

  // In a tile's room, in bytes: [headDim][query] scaled components, then [query][PAGE] scores or
  // weights and so on.
  private final int scoresAt;
  private final int outputsAt;
  private final int sumsAt;
  private final int maximaAt;
  private final int factorsAt;
  private final int endsAt;
  private final int startsAt;
  private final int tileBytes;

  // In the frame.
  private final int pagesLeftAt;
  private final int fullPagesAt;

  /** The first slot's number, a float. */
  private final int originAt;

  private final AttentionShape shape;
  private final boolean wide;
  private final int bits;
  private final int lanes;

  /** Registers that one query's sums take. */
  private final int perQuery;

  private final int headBytes;
  private final PageReader pages;
  private final KernelBuilder k;
  private final Assembler a;

  private PromptAttentionCode(AttentionShape shape, boolean avx512) {
    this.shape = shape;
    wide = avx512 && shape.headDim() % 16 == 0;
    bits = wide ? 512 : 256;
    lanes = bits / 32;
    perQuery = wide ? 4 : 2;
    headBytes = Math.toIntExact(shape.pageBytes() / (2 * shape.kvHeads()));
    int vectorBytes = 4 * TILE * shape.headDim();
    scoresAt = vectorBytes;
    outputsAt = scoresAt + 4 * TILE * PAGE;
    sumsAt = outputsAt + vectorBytes;
    maximaAt = sumsAt + 4 * TILE * 16;
    factorsAt = maximaAt + 4 * TILE;
    endsAt = factorsAt + 4 * TILE;
    startsAt = endsAt + 4 * TILE;
    tileBytes = tileBytes(shape);
    int floats = shape.cacheType().isQuantized() ? QuantizedPageReader.frameFloats(shape) : 0;
    pagesLeftAt = (4 * floats + 63) / 64 * 64;
    fullPagesAt = pagesLeftAt + 8;
    originAt = fullPagesAt + 8;
    k = new KernelBuilder(originAt + 8);
    a = k.a;
    Vector[] loaded = loaded();
    pages =
        shape.cacheType().isQuantized()
            ? new QuantizedPageReader(shape, k, loaded, 0, false)
            : new FloatPageReader(shape, k, loaded, false);
  }

  /** The room that the keys or values of a page need. */
  static int floatBytes(AttentionShape shape) {
    return 4 * (PAGE + UNROLL - 1) * shape.headDim();
  }

  /** The room that a tile of queries needs. */
  static int tileBytes(AttentionShape shape) {
    return 4 * TILE * (2 * shape.headDim() + PAGE + 16 + 4);
  }

  /** Argument: address of the {@link PromptArguments}. */
  static byte[] assemble(AttentionShape shape, boolean avx512) {
    return new PromptAttentionCode(shape, avx512).assemble();
  }

  private byte[] assemble() {
    a.mov(FLOATS, at(ARGUMENTS, PromptArguments.FLOATS));
    begin();
    a.mov(PAGES, at(ARGUMENTS, PromptArguments.PAGES));
    copy(PromptArguments.PAGE_COUNT, pagesLeftAt);
    copy(PromptArguments.FULL_PAGES, fullPagesAt);
    a.xor(COUNTER, COUNTER);
    a.mov(at(Gpr.RSP, originAt), COUNTER);
    Label top = new Label();
    a.bind(top);
    page();
    Vector origin = Vector.xmm(0);
    a.v(VMOVSS, origin, at(Gpr.RSP, originAt));
    a.v(VADDSS, origin, origin, k.scalar(PAGE));
    a.v(VMOVSS, at(Gpr.RSP, originAt), origin);
    a.mov(COUNTER, at(Gpr.RSP, fullPagesAt));
    a.sub(COUNTER, 1);
    a.mov(at(Gpr.RSP, fullPagesAt), COUNTER);
    a.mov(COUNTER, at(Gpr.RSP, pagesLeftAt));
    a.sub(COUNTER, 1);
    a.mov(at(Gpr.RSP, pagesLeftAt), COUNTER);
    a.j(Condition.NOT_EQUAL, top);
    end();
    return k.finish();
  }

  private void copy(int argument, int place) {
    a.mov(COUNTER, at(ARGUMENTS, argument));
    a.mov(at(Gpr.RSP, place), COUNTER);
  }

  private void page() {
    Label last = new Label();
    Label known = new Label();
    a.mov(PAGE_BASE, at(PAGES));
    a.mov(SLOTS, PAGE);
    a.mov(COUNTER, at(Gpr.RSP, pagesLeftAt));
    a.cmp(COUNTER, 1);
    a.j(Condition.NOT_EQUAL, known);
    a.mov(SLOTS, at(ARGUMENTS, PromptArguments.LAST_SLOTS));
    a.bind(known);

    pages.begin();
    floatKeys();
    a.mov(AHEAD, PAGE_BASE);
    a.add(AHEAD, at(ARGUMENTS, AttentionArguments.VALUES));
    eachTile(
        () -> {
          for (int slot = 0; slot < PAGE; slot += perQuery * lanes) {
            scores(slot);
          }
          hide();
          maxima();
          for (int query = 0; query < TILE; query++) {
            weights(query);
          }
        });

    floatValues();
    a.mov(AHEAD, PAGE_BASE);
    a.mov(COUNTER, at(Gpr.RSP, pagesLeftAt));
    a.cmp(COUNTER, 1);
    a.j(Condition.EQUAL, last);
    a.mov(AHEAD, at(PAGES, 8));
    a.bind(last);
    a.add(PAGES, 8);
    a.add(AHEAD, at(ARGUMENTS, AttentionArguments.KEYS));
    int columns = perQuery * lanes;
    eachTile(
        () -> {
          for (int column = 0; column < shape.headDim(); column += columns) {
            values(column, Math.min(columns, shape.headDim() - column) / lanes);
          }
        });
  }

  /** What is asked for meanwhile begins again from its start when it has been asked for. */
  private void eachTile(Runnable body) {
    a.lea(AHEAD_END, at(AHEAD, headBytes));
    a.mov(ROOM, at(ARGUMENTS, PromptArguments.ROOM));
    a.mov(TILES_LEFT, at(ARGUMENTS, PromptArguments.TILES));
    k.loop(
        TILES_LEFT,
        () -> {
          body.run();
          Label more = new Label();
          a.cmp(AHEAD_END, AHEAD);
          a.j(Condition.GREATER, more);
          a.sub(AHEAD, headBytes);
          a.bind(more);
          a.add(ROOM, tileBytes);
        });
  }

  private void askAhead(int bytes) {
    a.prefetcht1(at(AHEAD));
    a.add(AHEAD, bytes);
  }

  /** Keys as floats: [headDim][PAGE]. */
  private void floatKeys() {
    for (int slot = 0; slot < PAGE; slot += perQuery * lanes) {
      int first = slot;
      a.mov(OPERAND, FLOATS);
      pages.keys(slot, perQuery, 4 * PAGE, (parts, offset) -> store(parts, offset + 4 * first));
    }
  }

  /** Values as floats: [PAGE][headDim], and some zeros. */
  private void floatValues() {
    int columns = perQuery * lanes;
    for (int column = 0; column < shape.headDim(); column += columns) {
      int first = column;
      a.mov(OPERAND, FLOATS);
      pages.values(
          column,
          Math.min(columns, shape.headDim() - column) / lanes,
          4 * shape.headDim(),
          (parts, offset) -> store(parts, offset + 4 * first));
      clearRound(first, Math.min(columns, shape.headDim() - column) / lanes);
    }
  }

  /** After the last token, zeros for the rest of a round: what is there need not be a number. */
  private void clearRound(int column, int parts) {
    Vector zero = register(0);
    k.zero(zero);
    for (int i = 0; i < UNROLL - 1; i++) {
      for (int part = 0; part < parts; part++) {
        int place = 4 * (i * shape.headDim() + column + part * lanes);
        a.v(VMOVUPS, at(OPERAND, place), zero);
      }
    }
  }

  private void store(int parts, int offset) {
    Vector[] loaded = loaded();
    for (int part = 0; part < parts; part++) {
      a.v(VMOVUPS, at(OPERAND, offset + 4 * part * lanes), loaded[part]);
    }
  }

  /** Interleaves the queries of each tile, scaled; clears sums. */
  private void begin() {
    Gpr query = Gpr.RSI;
    Gpr source = Gpr.R8;
    Gpr component = Gpr.R9;
    Vector x = Vector.xmm(0);
    Vector zero = Vector.ymm(1);
    Vector lowest = Vector.xmm(2);
    k.zero(zero);
    a.v(VBROADCASTSS, lowest, k.scalar(-NEVER));
    a.lea(query, at(ARGUMENTS, PromptArguments.QUERIES));
    a.mov(ROOM, at(ARGUMENTS, PromptArguments.ROOM));
    a.mov(TILES_LEFT, at(ARGUMENTS, PromptArguments.TILES));
    k.loop(
        TILES_LEFT,
        () -> {
          for (int i = 0; i < TILE; i++) {
            int place = PromptArguments.QUERY_BYTES * i;
            a.v(VMOVSS, x, at(query, place + PromptArguments.LIMITS));
            a.v(VMOVSS, at(ROOM, endsAt + 4 * i), x);
            a.v(VMOVSS, x, at(query, place + PromptArguments.LIMITS + 4));
            a.v(VMOVSS, at(ROOM, startsAt + 4 * i), x);
            a.mov(source, at(query, place + PromptArguments.SOURCE));
            a.lea(component, at(ROOM, 4 * i));
            a.mov(COUNTER, shape.headDim());
            k.loop(
                COUNTER,
                () -> {
                  a.v(VMOVSS, x, at(source));
                  a.v(VMULSS, x, x, k.scalar(shape.scale() * ExponentialCode.LOG2_E));
                  a.v(VMOVSS, at(component), x);
                  a.add(source, 4);
                  a.add(component, 4 * TILE);
                });
          }
          a.lea(component, at(ROOM, outputsAt));
          a.mov(COUNTER, (maximaAt - outputsAt) / 32);
          k.loop(
              COUNTER,
              () -> {
                a.v(VMOVUPS, at(component), zero);
                a.add(component, 32);
              });
          a.v(VMOVUPS, at(ROOM, maximaAt), lowest);
          a.add(query, TILE * PromptArguments.QUERY_BYTES);
          a.add(ROOM, tileBytes);
        });
  }

  /** Scores of the slots from the given one on, as many as the registers hold. */
  private void scores(int slot) {
    for (int i = 0; i < TILE * perQuery; i++) {
      k.zero(register(i));
    }
    a.mov(OPERAND, ROOM);
    a.lea(MEMORY, at(FLOATS, 4 * slot));
    a.mov(COUNTER, shape.headDim() / UNROLL);
    k.loop(
        COUNTER,
        () -> {
          for (int i = 0; i < UNROLL; i++) {
            load(perQuery, 4 * PAGE * i);
            multiply(perQuery, 4 * TILE * i, 4);
          }
          askAhead(64 / (PAGE / (perQuery * lanes)));
          a.add(MEMORY, 4 * PAGE * UNROLL);
          a.add(OPERAND, 4 * TILE * UNROLL);
        });
    for (int query = 0; query < TILE; query++) {
      for (int part = 0; part < perQuery; part++) {
        a.v(VMOVUPS, score(query, slot / lanes + part), sum(query, part));
      }
    }
  }

  private void load(int parts, int displacement) {
    Vector[] loaded = loaded();
    for (int part = 0; part < parts; part++) {
      a.v(VMOVUPS, loaded[part], at(MEMORY, displacement + 4 * part * lanes));
    }
  }

  /** sums += cached values x the queries' operands. */
  private void multiply(int parts, int offset, int queryStride) {
    Vector[] loaded = loaded();
    for (int query = 0; query < TILE; query++) {
      Address place = at(OPERAND, offset + query * queryStride);
      // As an operand in memory it is loaded for each product, but that takes one instruction less:
      // half of them in that way keep loads and instructions in balance.
      boolean inMemory = wide && query % 2 == 1;
      Vector register = register(TILE * perQuery + perQuery + query);
      if (!inMemory) {
        a.v(VBROADCASTSS, register, place);
      }
      for (int part = 0; part < parts; part++) {
        a.v(VFMADD231PS, sum(query, part), loaded[part], inMemory ? place.toAll() : register);
      }
    }
  }

  /** Scores of slots that a query does not see become very low. */
  private void hide() {
    Vector end = register(0);
    Vector start = register(1);
    Vector origin = register(2);
    Vector limit = register(3);
    Vector score = register(4);
    Label allSeen = new Label();
    a.mov(COUNTER, at(Gpr.RSP, fullPagesAt));
    a.cmp(COUNTER, 0);
    a.j(Condition.GREATER, allSeen);
    a.v(VBROADCASTSS, origin, at(Gpr.RSP, originAt));
    for (int query = 0; query < TILE; query++) {
      a.v(VBROADCASTSS, end, at(ROOM, endsAt + 4 * query));
      a.v(VBROADCASTSS, start, at(ROOM, startsAt + 4 * query));
      a.v(VSUBPS, end, end, origin);
      a.v(VSUBPS, start, start, origin);
      for (int i = 0; i < PAGE / lanes; i++) {
        a.v(VMOVUPS, score, score(query, i));
        // Positive where seen, else negative; huge in both cases.
        a.v(VSUBPS, limit, end, slotNumbers(i));
        a.v(VMULPS, limit, limit, k.all(NEVER, bits));
        // The second operand also wins over a score that is not a number.
        a.v(VMINPS, score, score, limit);
        if (shape.chunk() > 0) {
          a.v(VMOVUPS, limit, slotNumbers(i));
          a.v(VSUBPS, limit, limit, start);
          a.v(VMULPS, limit, limit, k.all(NEVER, bits));
          a.v(VMINPS, score, score, limit);
        }
        a.v(VMOVUPS, score(query, i), score);
      }
    }
    a.bind(allSeen);
  }

  private Address slotNumbers(int vector) {
    return k.ints(
        IntStream.range(0, lanes)
            .map(lane -> Float.floatToRawIntBits(vector * lanes + lane))
            .toArray());
  }

  /** The four queries' new maxima, and the factors for what was summed before. */
  private void maxima() {
    for (int query = 0; query < TILE; query++) {
      Vector top = register(query);
      a.v(VMOVUPS, top, score(query, 0));
      for (int i = 1; i < PAGE / lanes; i++) {
        a.v(VMAXPS, top, top, score(query, i));
      }
    }
    for (int query = 0; query < TILE; query++) {
      Vector top = register(query);
      Vector other = register(TILE + query);
      if (wide) {
        a.vi(VEXTRACTI64X4, 1, other.y(), top);
        a.v(VMAXPS, top.y(), top.y(), other.y());
      }
      a.vi(VEXTRACTF128, 1, other.x(), top.y());
      a.v(VMAXPS, top.x(), top.x(), other.x());
    }
    Vector[] tops = IntStream.range(0, TILE).mapToObj(Vector::xmm).toArray(Vector[]::new);
    Vector t = Vector.xmm(TILE);
    for (int i = 0; i < TILE; i += 2) {
      a.v(VPUNPCKLDQ, t, tops[i], tops[i + 1]);
      a.v(VPUNPCKHDQ, tops[i], tops[i], tops[i + 1]);
      a.v(VMAXPS, tops[i], tops[i], t);
    }
    a.v(VPUNPCKLQDQ, t, tops[0], tops[2]);
    a.v(VPUNPCKHQDQ, tops[0], tops[0], tops[2]);
    a.v(VMAXPS, t, t, tops[0]);
    Vector before = Vector.xmm(5);
    a.v(VMOVUPS, before, at(ROOM, maximaAt));
    a.v(VMAXPS, t, t, before);
    a.v(VMOVUPS, at(ROOM, maximaAt), t);
    a.v(VSUBPS, before, before, t);
    Vector power = Vector.ymm(6);
    ExponentialCode.emitUpTo0(k, before.y(), Vector.ymm(7), power);
    a.v(VMOVUPS, at(ROOM, factorsAt), power.x());
  }

  /** Scores become weights, 2^(score - maximum); sums of weights, lane by lane. */
  private void weights(int query) {
    Vector maximum = register(8);
    Vector total = register(9);
    a.v(VBROADCASTSS, maximum, at(ROOM, maximaAt + 4 * query));
    a.v(VBROADCASTSS, total, at(ROOM, factorsAt + 4 * query));
    a.v(VMULPS, total, total, at(ROOM, sumsAt + 64 * query));
    for (int i = 0; i < PAGE / lanes; i++) {
      Vector score = register(i % 2 * 3);
      Vector power = register(i % 2 * 3 + 2);
      a.v(VMOVUPS, score, score(query, i));
      a.v(VSUBPS, score, score, maximum);
      ExponentialCode.emitUpTo0(k, score, register(i % 2 * 3 + 1), power);
      a.v(VADDPS, total, total, power);
      a.v(VMOVUPS, score(query, i), power);
    }
    a.v(VMOVUPS, at(ROOM, sumsAt + 64 * query), total);
  }

  /** outputs = outputs x factor + weights x values, for a few columns. */
  private void values(int column, int parts) {
    for (int query = 0; query < TILE; query++) {
      Vector factor = register(TILE * perQuery + perQuery + query);
      a.v(VBROADCASTSS, factor, at(ROOM, factorsAt + 4 * query));
      for (int part = 0; part < parts; part++) {
        a.v(VMULPS, sum(query, part), factor, output(query, column + part * lanes));
      }
    }
    a.lea(OPERAND, at(ROOM, scoresAt));
    a.lea(MEMORY, at(FLOATS, 4 * column));
    a.mov(COUNTER, SLOTS);
    a.add(COUNTER, UNROLL - 1);
    a.shr(COUNTER, 2);
    k.loop(
        COUNTER,
        () -> {
          for (int i = 0; i < UNROLL; i++) {
            load(parts, 4 * shape.headDim() * i);
            multiply(parts, 4 * i, 4 * PAGE);
          }
          askAhead(64);
          a.add(MEMORY, 4 * shape.headDim() * UNROLL);
          a.add(OPERAND, 4 * UNROLL);
        });
    for (int query = 0; query < TILE; query++) {
      for (int part = 0; part < parts; part++) {
        a.v(VMOVUPS, output(query, column + part * lanes), sum(query, part));
      }
    }
  }

  /** Divides by the sums of the weights. */
  private void end() {
    Gpr query = Gpr.RSI;
    Gpr target = Gpr.R8;
    Gpr result = Gpr.R9;
    Vector total = register(0);
    Vector one = Vector.xmm(1);
    a.lea(query, at(ARGUMENTS, PromptArguments.QUERIES));
    a.lea(result, at(ARGUMENTS, PromptArguments.RESULTS));
    a.mov(ROOM, at(ARGUMENTS, PromptArguments.ROOM));
    a.mov(TILES_LEFT, at(ARGUMENTS, PromptArguments.TILES));
    k.loop(
        TILES_LEFT,
        () -> {
          for (int i = 0; i < TILE; i++) {
            a.v(VMOVSS, one, at(ROOM, maximaAt + 4 * i));
            a.v(VMOVSS, at(result, PromptArguments.RESULT_BYTES * i), one);
            a.v(VMOVUPS, total, at(ROOM, sumsAt + 64 * i));
            k.sumLanes(total, register(1));
            a.v(VMOVSS, at(result, PromptArguments.RESULT_BYTES * i + 4), total.x());
            a.v(VMOVSS, one, k.scalar(1));
            a.v(VDIVSS, one, one, total.x());
            a.v(VBROADCASTSS, total, one);
            a.mov(target, at(query, PromptArguments.QUERY_BYTES * i + PromptArguments.TARGET));
            for (int column = 0; column < shape.headDim(); column += lanes) {
              a.v(VMULPS, register(1), total, output(i, column));
              a.v(VMOVUPS, at(target, 4 * column), register(1));
            }
          }
          a.add(query, TILE * PromptArguments.QUERY_BYTES);
          a.add(result, TILE * PromptArguments.RESULT_BYTES);
          a.add(ROOM, tileBytes);
        });
  }

  private Address score(int query, int vector) {
    return at(ROOM, scoresAt + 4 * (query * PAGE + vector * lanes));
  }

  private Address output(int query, int column) {
    return at(ROOM, outputsAt + 4 * (query * shape.headDim() + column));
  }

  private Vector sum(int query, int part) {
    return register(query * perQuery + part);
  }

  /** The registers for keys and values; there are others for the sums, and for operands. */
  private Vector[] loaded() {
    Vector[] loaded = new Vector[perQuery];
    Arrays.setAll(loaded, part -> register(TILE * perQuery + part));
    return loaded;
  }

  private Vector register(int number) {
    return wide ? Vector.zmm(number) : Vector.ymm(number);
  }
}
