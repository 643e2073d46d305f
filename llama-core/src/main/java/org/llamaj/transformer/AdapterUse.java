package org.llamaj.transformer;

import java.util.List;

/**
 * An adapter with the strength a sequence uses it with.
 *
 * @param adapter loaded for the same model
 * @param scale 1 for as it was trained, 0 for not at all
 */
public record AdapterUse(LowRankAdapter adapter, float scale) {
  /** Checks that the scale is a number. */
  public AdapterUse {
    if (!Float.isFinite(scale)) {
      throw new IllegalArgumentException("expected a finite scale, found " + scale);
    }
  }

  /** Keys and values are the same only for the same adapters in the same strength. */
  static long salt(List<AdapterUse> uses) {
    long salt = 0;
    for (AdapterUse use : uses) {
      salt = 31 * salt + (use.adapter.id() ^ (long) Float.floatToIntBits(use.scale) << 17);
    }
    return salt;
  }
}
