package org.llamaj.kernel.vector;

import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;

/** Appends keys and values to cache pages; a chunk of work is one key/value head of all rows. */
final class CacheWriter implements Workers.Task {
  private final Workers workers;

  private FloatMatrix keys;
  private FloatMatrix values;
  private Span[] spans;
  private int spanCount;
  private AttentionShape shape;

  /** Of a quantised cache, or null. */
  private QuantizedPage layout;

  CacheWriter(Workers workers) {
    this.workers = workers;
  }

  void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    this.keys = keys;
    this.values = values;
    this.spans = spans;
    this.spanCount = spanCount;
    layout = QuantizedPage.of(shape, layout);
    this.shape = shape;
    if (spanCount == 1 && spans[0].rows() < 4) {
      for (int head = 0; head < shape.kvHeads(); head++) {
        run(head, 0);
      }
    } else {
      workers.run(shape.kvHeads(), this);
    }
    this.spans = null;
  }

  @Override
  public void run(int head, int worker) {
    for (int s = 0; s < spanCount; s++) {
      Span span = spans[s];
      int end = span.firstPosition() + span.rows();
      for (int position = span.firstPosition(); position < end; ) {
        int slot = position % PAGE_TOKENS;
        int count = Math.min(PAGE_TOKENS - slot, end - position);
        long page = span.pages().address(shape.layer(), position / PAGE_TOKENS);
        long row = span.firstRow() + position - span.firstPosition();
        long offset = 4L * (row * keys.columns() + (long) head * shape.headDim());
        long k = keys.address() + offset;
        long v = values.address() + offset;
        long stride = 4L * keys.columns();
        switch (shape.cacheType()) {
          case F16 -> writeHalves(k, v, stride, count, page, head, slot);
          case F32 -> writeFloats(k, v, stride, count, page, head, slot);
          case Q8_0, Q4_0 -> writeBlocks(k, v, stride, count, page, head, slot);
        }
        position += count;
      }
    }
  }

  private void writeHalves(long k, long v, long stride, int count, long page, int head, int slot) {
    int dim = shape.headDim();
    long pageKeys = page + shape.keyOffset(head, 0, slot);
    long pageValues = page + shape.valueOffset(head, slot);
    for (int t = 0; t < count; t++) {
      for (int d = 0; d < dim; d++) {
        ALL.set(
            SHORT,
            pageKeys + 2L * (PAGE_TOKENS * d + t),
            Float.floatToFloat16(ALL.get(FLOAT, k + stride * t + 4L * d)));
        ALL.set(
            SHORT,
            pageValues + 2L * (dim * t + d),
            Float.floatToFloat16(ALL.get(FLOAT, v + stride * t + 4L * d)));
      }
    }
  }

  private void writeFloats(long k, long v, long stride, int count, long page, int head, int slot) {
    int dim = shape.headDim();
    long pageKeys = page + shape.keyOffset(head, 0, slot);
    long pageValues = page + shape.valueOffset(head, slot);
    for (int t = 0; t < count; t++) {
      for (int d = 0; d < dim; d++) {
        ALL.set(
            FLOAT, pageKeys + 4L * (PAGE_TOKENS * d + t), ALL.get(FLOAT, k + stride * t + 4L * d));
        ALL.set(FLOAT, pageValues + 4L * (dim * t + d), ALL.get(FLOAT, v + stride * t + 4L * d));
      }
    }
  }

  private void writeBlocks(long k, long v, long stride, int count, long page, int head, int slot) {
    boolean nibbles = shape.cacheType() == CacheType.Q4_0;
    for (int t = 0; t < count; t++) {
      QuantizedCacheWriter.write(
          k + stride * t, v + stride * t, page, layout, head, slot + t, nibbles);
    }
  }
}
