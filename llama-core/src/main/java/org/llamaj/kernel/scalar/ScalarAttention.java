package org.llamaj.kernel.scalar;

import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;

/** Attention over the paged cache, with all scores of a query in memory before the softmax. */
final class ScalarAttention {

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final Workers workers;
  private final Scratch[] scratch;

  ScalarAttention(Workers workers) {
    this.workers = workers;
    this.scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, worker -> new Scratch());
  }

  /** What one worker needs for one query. */
  private static final class Scratch {
    private float[] scores = {};
    private float[] output = {};
    private float[] row = {};

    void ensure(int keys, int headDim) {
      if (scores.length < keys) {
        scores = new float[Math.max(keys, 2 * scores.length)];
      }
      if (output.length < headDim) {
        output = new float[headDim];
        row = new float[Math.max(headDim, PAGE_TOKENS)];
      }
    }
  }

  void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    PageFormat format = PageFormat.of(shape);
    workers.run(
        rows(spans, spanCount),
        (index, worker) -> {
          int s = spanOf(spans, index);
          int i = index - rows(spans, s);
          scratch[worker].ensure(0, shape.headDim());
          storeRow(keys, values, spans[s], i, shape, format, scratch[worker].row);
        });
  }

  private static void storeRow(
      FloatMatrix keys,
      FloatMatrix values,
      Span span,
      int i,
      AttentionShape shape,
      PageFormat format,
      float[] vector) {
    int position = span.firstPosition() + i;
    int slot = position % PAGE_TOKENS;
    MemorySegment page = span.pages().segment(shape.layer(), position / PAGE_TOKENS);
    for (int head = 0; head < shape.kvHeads(); head++) {
      long offset = 4L * ((long) (span.firstRow() + i) * shape.kvHeads() + head) * shape.headDim();
      MemorySegment.copy(keys.data(), FLOAT, offset, vector, 0, shape.headDim());
      format.storeKey(page, head, slot, vector);
      MemorySegment.copy(values.data(), FLOAT, offset, vector, 0, shape.headDim());
      format.storeValue(page, head, slot, vector);
    }
  }

  void attend(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    int heads = shape.heads();
    PageFormat format = PageFormat.of(shape);
    workers.run(
        rows(spans, spanCount) * heads,
        (index, worker) -> {
          int s = spanOf(spans, index / heads);
          int i = index / heads - rows(spans, s);
          attendHead(queries, spans[s], i, index % heads, shape, format, output, scratch[worker]);
        });
  }

  private static void attendHead(
      FloatMatrix queries,
      Span span,
      int i,
      int head,
      AttentionShape shape,
      PageFormat format,
      FloatMatrix output,
      Scratch scratch) {
    int row = span.firstRow() + i;
    int position = span.lastKey(i);
    int firstKey = shape.firstKey(position);
    int keys = position + 1 - firstKey;
    int headDim = shape.headDim();
    int kvHead = head / shape.group();
    scratch.ensure(keys, headDim);

    float[] scores = scratch.scores;
    Arrays.fill(scores, 0, keys, 0f);
    for (int key = firstKey; key <= position; ) {
      int slot = key % PAGE_TOKENS;
      int count = Math.min(PAGE_TOKENS - slot, position + 1 - key);
      MemorySegment page = span.pages().segment(shape.layer(), key / PAGE_TOKENS);
      for (int d = 0; d < headDim; d++) {
        format.loadKeys(page, kvHead, d, slot, scratch.row, count);
        float q = queries.get(row, head * headDim + d) * shape.scale();
        addScaled(q, scratch.row, scores, key - firstKey, count);
      }
      key += count;
    }

    softmax(scores, keys);

    float[] sums = scratch.output;
    Arrays.fill(sums, 0, headDim, 0f);
    for (int key = firstKey; key <= position; key++) {
      MemorySegment page = span.pages().segment(shape.layer(), key / PAGE_TOKENS);
      format.loadValue(page, kvHead, key % PAGE_TOKENS, scratch.row);
      addScaled(scores[key - firstKey], scratch.row, sums, 0, headDim);
    }
    for (int d = 0; d < headDim; d++) {
      output.set(row, head * headDim + d, sums[d]);
    }
  }

  private static void addScaled(float factor, float[] x, float[] sums, int offset, int count) {
    for (int i = 0; i < count; i++) {
      sums[offset + i] += factor * x[i];
    }
  }

  private static void softmax(float[] x, int count) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, x[i]);
    }
    double sum = 0;
    for (int i = 0; i < count; i++) {
      x[i] = (float) Math.exp(x[i] - max);
      sum += x[i];
    }
    float factor = (float) (1 / sum);
    for (int i = 0; i < count; i++) {
      x[i] *= factor;
    }
  }

  /** Rows of the first {@code count} spans together. */
  private static int rows(Span[] spans, int count) {
    int rows = 0;
    for (int s = 0; s < count; s++) {
      rows += spans[s].rows();
    }
    return rows;
  }

  /** The span that holds the {@code index}-th row, counted over all spans. */
  private static int spanOf(Span[] spans, int index) {
    int s = 0;
    for (int before = spans[0].rows(); index >= before; before += spans[s].rows()) {
      s++;
    }
    return s;
  }
}
