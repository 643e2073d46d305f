package org.llamaj.transformer;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.llamaj.kernel.WeightMatrix;

/**
 * A low-rank adaptation of a model (Hu et al. 2021): some of its projections y = W x become y = W x
 * + s B (A x), where A and B are thin matrices. The model's weights stay as they are, so that
 * sequences with and without it share a forward pass.
 */
public final class LowRankAdapter {

  /**
   * What is added to one projection.
   *
   * @param down A, [rank, inputs]
   * @param up B, [outputs, rank]
   * @param scaling s: alpha / rank in most adapters
   */
  public record Update(WeightMatrix down, WeightMatrix up, float scaling) {}

  private final String name;
  private final Map<String, Update> updates;
  private final long id = ThreadLocalRandom.current().nextLong();
  private volatile boolean closed;

  LowRankAdapter(String name, Map<String, Update> updates) {
    this.name = name;
    this.updates = Map.copyOf(updates);
  }

  /** {@return what messages call it} */
  public String name() {
    return name;
  }

  /**
   * What is added to a projection.
   *
   * @param weight the name of its weight, {@code blk.0.attn_q.weight}
   * @return the update, if there is one
   */
  Optional<Update> update(String weight) {
    return Optional.ofNullable(updates.get(weight));
  }

  /** Distinguishes what is computed with this adapter from what is computed with another. */
  long id() {
    return id;
  }

  boolean isClosed() {
    return closed;
  }

  void close() {
    closed = true;
  }
}
