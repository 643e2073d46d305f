package org.llamaj.kernel.x86.attention;

import java.util.EnumMap;
import java.util.Map;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.x86.machine.CodeCache;
import org.llamaj.kernel.x86.machine.MachineCode;
import org.llamaj.kernel.x86.machine.ShapedCode;
import org.llamaj.tensor.FloatMatrix;

/** Appends keys and values to the caches of their sequences. */
public final class CacheWriter {
  private static final int CHUNK_ROWS = 16;

  private final Workers workers;
  private final Workers.Task task = this::writeChunk;
  private final Map<CacheType, ShapedCode> codes = new EnumMap<>(CacheType.class);

  private MachineCode code;
  private AttentionShape shape;
  private QuantizedPage quantized; // null for floating point
  private Span span;
  private long keyAddress;
  private long valueAddress;

  /**
   * @param cache of the functions; closed by its owner
   */
  public CacheWriter(Workers workers, CodeCache cache) {
    this.workers = workers;
    for (CacheType type : CacheType.values()) {
      codes.put(
          type,
          new ShapedCode(
              cache,
              (heads, headDim) ->
                  type.isQuantized()
                      ? QuantizedStoreCode.assemble(heads, headDim, type)
                      : StoreCode.assemble(heads, headDim, type)));
    }
  }

  /**
   * The operation of {@link org.llamaj.kernel.Kernels#store}, for a shape that {@link
   * AttentionCode#supports}.
   */
  public void store(
      FloatMatrix keys,
      FloatMatrix values,
      Span[] spans,
      int spanCount,
      AttentionShape attentionShape) {
    shape = attentionShape;
    keyAddress = keys.address();
    valueAddress = values.address();
    code = codes.get(shape.cacheType()).get(shape.kvHeads(), shape.headDim());
    quantized = shape.cacheType().isQuantized() ? new QuantizedPage(shape) : null;
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
      long key = keyAddress + offset;
      long value = valueAddress + offset;
      if (quantized == null) {
        long keyPlace = page + shape.keyOffset(0, 0, slot);
        code.callShort(key, value, keyPlace, page + shape.valueOffset(0, slot), 0, 0);
      } else {
        long quants = page + quantized.valueQuants(0, slot);
        code.callShort(key, value, page, slot, quants, page + quantized.valueScales(0, slot));
      }
    }
  }
}
