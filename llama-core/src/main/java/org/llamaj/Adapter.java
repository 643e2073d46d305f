package org.llamaj;

import java.util.concurrent.atomic.AtomicBoolean;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.Fingerprint;
import org.llamaj.transformer.LowRankAdapter;
import org.llamaj.transformer.Transformer;

/**
 * A LoRA adapter (Hu et al. 2021), loaded for one model by {@link LlamaModel#adapter}: a small
 * change of its weights, for the requests and conversations that name it. Requests with different
 * adapters, and with none, run at the same time and share forward passes.
 *
 * <p>Thread-safe. Closing gives its memory back; requests that still use it then fail. The model
 * closes its adapters when it is closed.
 */
public final class Adapter implements AutoCloseable {
  private final Transformer transformer;
  private final LowRankAdapter adapter;
  private final AdapterCheckpoint file;
  private final byte[] fingerprint;
  private final AtomicBoolean closed = new AtomicBoolean();

  Adapter(Transformer transformer, LowRankAdapter adapter, AdapterCheckpoint file) {
    this.transformer = transformer;
    this.adapter = adapter;
    this.file = file;
    fingerprint = Fingerprint.of(file);
  }

  /** {@return the name of its file or directory} */
  public String name() {
    return adapter.name();
  }

  /**
   * The level below, for {@link Transformer#newSequence(java.util.List)}.
   *
   * @return usable until this is closed
   */
  public LowRankAdapter lowRank() {
    return adapter;
  }

  /** Waits for the forward pass under way, then gives the memory back. Safe to call twice. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      transformer.release(adapter);
      file.close();
    }
  }

  /** Tells it apart from others: see {@link Fingerprint}. */
  byte[] fingerprint() {
    return fingerprint;
  }

  boolean belongsTo(Transformer other) {
    return transformer == other;
  }
}
