package org.llamaj.kernel.x86;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;

/** Appends keys and values to the caches of their sequences. */
final class CacheWriter {
  private static final int CHUNK_ROWS = 16;

  private final Workers workers;
  private final Workers.Task task = this::writeChunk;
  private final ShapedCode floats;
  private final ShapedCode halves;

  private MachineCode code;
  private AttentionShape shape;
  private Span span;
  private long keyAddress;
  private long valueAddress;

  CacheWriter(Workers workers, CodeCache cache) {
    this.workers = workers;
    floats =
        new ShapedCode(
            cache, (heads, headDim) -> StoreCode.assemble(heads, headDim, CacheType.F32));
    halves =
        new ShapedCode(
            cache, (heads, headDim) -> StoreCode.assemble(heads, headDim, CacheType.F16));
  }

  void store(
      FloatMatrix keys,
      FloatMatrix values,
      Span[] spans,
      int spanCount,
      AttentionShape attentionShape) {
    shape = attentionShape;
    keyAddress = keys.address();
    valueAddress = values.address();
    ShapedCode made = shape.cacheType() == CacheType.F16 ? halves : floats;
    code = made.get(shape.kvHeads(), shape.headDim());
    for (int i = 0; i < spanCount; i++) {
      span = spans[i];
      workers.run(Math.ceilDiv(span.rows(), CHUNK_ROWS), task);
    }
    span = null;
  }

  private void writeChunk(int chunk, int worker) {
    int first = chunk * CHUNK_ROWS;
    int end = Math.min(span.rows(), first + CHUNK_ROWS);
    long rowBytes = 4L * shape.kvHeads() * shape.headDim();
    for (int i = first; i < end; i++) {
      long offset = (span.firstRow() + i) * rowBytes;
      int position = span.firstPosition() + i;
      int slot = position % AttentionShape.PAGE_TOKENS;
      long page = span.pages().address(shape.layer(), position / AttentionShape.PAGE_TOKENS);
      code.callShort(
          keyAddress + offset,
          valueAddress + offset,
          page + shape.keyOffset(0, 0, slot),
          page + shape.valueOffset(0, slot),
          0,
          0);
    }
  }
}
