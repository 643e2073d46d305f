package org.llamaj.kernel;

import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;

/**
 * Where things lie in a page of a quantised cache. Each head's key and value is cut into blocks of
 * 32 components, and a block has one half-precision scale. As in pages of floating point, keys are
 * transposed so that one vector register takes the same component of neighbouring tokens:
 *
 * <pre>
 * keys   [kvHeads][headDim / 32] { scale[PAGE_TOKENS], quants[32 or 16][PAGE_TOKENS] }
 * values [kvHeads] { quants[PAGE_TOKENS][headDim or headDim / 2], scale[PAGE_TOKENS][headDim / 32] }
 * </pre>
 *
 * <p>Q8_0: a signed byte q per component, which is q x scale; the scale is the greatest magnitude /
 * 127. Q4_0: components i and i + 16 of a block in the low and the high four bits of byte i, and a
 * component is (q - 8) x scale; the scale is the value of the greatest magnitude (of two, the
 * positive one) / -8.
 *
 * <p>All kernels store the same bytes: the scale is rounded to half precision first, then q is x x
 * (1 / scale) in float32, rounded to the nearest integer (a tie to the even one) and clamped to
 * -127 to 127, or -8 to 7. If the scale is 0, so is x.
 */
public final class QuantizedPage {

  /** Components per block. */
  public static final int BLOCK = 32;

  private static final int SCALE_BYTES = Short.BYTES;

  private final AttentionShape shape;
  private final int blocks; // per head
  private final int blockBytes;
  private final int quantBytes; // per block
  private final long values; // where they begin

  /**
   * The layout of one layer's pages.
   *
   * @param shape with a quantised cache type
   * @throws IllegalArgumentException if heads cannot be cut into blocks
   */
  public QuantizedPage(AttentionShape shape) {
    if (!shape.cacheType().isQuantized() || shape.headDim() % BLOCK != 0) {
      throw new IllegalArgumentException(
          "no blocks of %s in heads of %d".formatted(shape.cacheType(), shape.headDim()));
    }
    this.shape = shape;
    blocks = shape.headDim() / BLOCK;
    blockBytes = shape.cacheType().blockBytes();
    quantBytes = blockBytes - SCALE_BYTES;
    values = shape.pageBytes() / 2;
  }

  /**
   * The layout of one layer's pages, made anew only where it is not that of the layer before.
   *
   * @param shape of the layer
   * @param before the layout of another layer, or null
   * @return null if the cache is not quantised
   */
  public static QuantizedPage of(AttentionShape shape, QuantizedPage before) {
    if (!shape.cacheType().isQuantized()) {
      return null;
    }
    boolean same =
        before != null
            && shape.cacheType() == before.shape.cacheType()
            && shape.headDim() == before.shape.headDim()
            && shape.kvHeads() == before.shape.kvHeads();
    return same ? before : new QuantizedPage(shape);
  }

  /**
   * Blocks per head.
   *
   * @return headDim / 32
   */
  public int blocks() {
    return blocks;
  }

  /**
   * Bytes of quants per block.
   *
   * @return 32 for Q8_0, 16 for Q4_0
   */
  public int quantBytes() {
    return quantBytes;
  }

  /**
   * Where the scale of a key's block lies; that of the next token follows.
   *
   * @param kvHead key/value head
   * @param block of the head
   * @param slot the token's index in the page
   * @return byte offset
   */
  public long keyScale(int kvHead, int block, int slot) {
    return keyBlock(kvHead, block) + (long) SCALE_BYTES * slot;
  }

  /**
   * Where a byte of a key's quants lies; that of the next token follows.
   *
   * @param kvHead key/value head
   * @param block of the head
   * @param i index of the byte in its block
   * @param slot the token's index in the page
   * @return byte offset
   */
  public long keyQuant(int kvHead, int block, int i, int slot) {
    return keyBlock(kvHead, block) + (long) PAGE_TOKENS * (SCALE_BYTES + i) + slot;
  }

  /**
   * Where the quants of a value begin; those of all its blocks follow each other.
   *
   * @param kvHead key/value head
   * @param slot the token's index in the page
   * @return byte offset
   */
  public long valueQuants(int kvHead, int slot) {
    return valueHead(kvHead) + (long) slot * blocks * quantBytes;
  }

  /**
   * Where the scales of a value begin; those of all its blocks follow each other.
   *
   * @param kvHead key/value head
   * @param slot the token's index in the page
   * @return byte offset
   */
  public long valueScales(int kvHead, int slot) {
    return valueQuants(kvHead, PAGE_TOKENS) + (long) slot * blocks * SCALE_BYTES;
  }

  private long keyBlock(int kvHead, int block) {
    return ((long) kvHead * blocks + block) * PAGE_TOKENS * blockBytes;
  }

  private long valueHead(int kvHead) {
    return values + (long) kvHead * blocks * PAGE_TOKENS * blockBytes;
  }
}
