package org.llamaj.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import org.llamaj.LlamaException;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/**
 * A decoder-only transformer of the Llama family (Touvron et al. 2023): token embedding, decoder
 * layers, final RMSNorm, projection to the vocabulary.
 *
 * <p>Thread-safe: forward passes are made one after the other, each on all worker threads.
 */
public final class Transformer {

  /** How many rows of logits are computed at once, to bound scratch memory. */
  static final int LOGITS_ROWS = 16;

  /**
   * The weights around the layers.
   *
   * @param embedding [vocabulary, dim]
   * @param outputNorm dim values
   * @param output [vocabulary, dim]; the embedding itself where the two are tied
   */
  record Head(WeightMatrix embedding, MemorySegment outputNorm, WeightMatrix output) {}

  private final Configuration configuration;
  private final int contextLength;
  private final AdaptedKernels kernels;
  private final RotaryEmbedding rotary;
  private final KeyValueCache cache;
  private final Workspace workspace;
  private final Optional<KeyValueCache> stateCache;
  private final List<CrossAttentionLayer> crossLayers;
  private final Layer[] layers;
  private final Head head;
  private final Runnable beforeEachPass;
  private final FloatMatrix logits; // [LOGITS_ROWS, vocabulary]
  private final int[] bestIds = new int[LOGITS_ROWS * BestLogits.MOST];
  private final float[] bestLogits = new float[LOGITS_ROWS * BestLogits.MOST];
  private final Projection[] toVocabulary;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean closed;

  Transformer(
      Configuration configuration,
      int contextLength,
      Arena arena,
      AdaptedKernels kernels,
      RotaryEmbedding rotary,
      KeyValueCache cache,
      Optional<KeyValueCache> stateCache,
      Workspace workspace,
      Layer[] layers,
      Head head,
      Runnable beforeEachPass) {
    this.configuration = configuration;
    this.contextLength = contextLength;
    this.kernels = kernels;
    this.rotary = rotary;
    this.cache = cache;
    this.workspace = workspace;
    this.layers = layers;
    this.stateCache = stateCache;
    crossLayers =
        Arrays.stream(layers)
            .filter(CrossAttentionLayer.class::isInstance)
            .map(CrossAttentionLayer.class::cast)
            .toList();
    this.head = head;
    this.beforeEachPass = beforeEachPass;
    logits = FloatMatrix.allocate(arena, LOGITS_ROWS, configuration.vocabularySize());
    toVocabulary = new Projection[] {new Projection(head.output(), logits)};
    kernels.keep(logits);
  }

  /**
   * The proportions of the model.
   *
   * @return the configuration
   */
  public Configuration configuration() {
    return configuration;
  }

  /**
   * How many tokens a sequence can hold.
   *
   * @return tokens
   */
  public int contextLength() {
    return contextLength;
  }

  /**
   * Opens an empty sequence.
   *
   * @return to be closed by the caller
   */
  public Sequence newSequence() {
    return newSequence(0);
  }

  /**
   * Opens an empty sequence.
   *
   * @param salt tells apart what the same tokens stand for where weights are adapted: sequences
   *     share keys and values only with those of the same salt
   * @return to be closed by the caller
   */
  public Sequence newSequence(long salt) {
    requireOpen();
    return newSequence(salt, List.of());
  }

  /**
   * Opens an empty sequence whose tokens go through adapters.
   *
   * @param adapters made by {@link #adapter}, open as long as the sequence is used
   * @return to be closed by the caller
   */
  public Sequence newSequence(List<AdapterUse> adapters) {
    requireOpen();
    return newSequence(AdapterUse.salt(adapters), List.copyOf(adapters));
  }

  private Sequence newSequence(long salt, List<AdapterUse> adapters) {
    return new Sequence(
        cache, stateCache.map(SeenStates::new).orElse(null), contextLength, salt, adapters);
  }

  /**
   * Prepares an adapter. Its tensors must stay where they are until it is {@linkplain #release
   * released}.
   *
   * @param name what messages call it
   * @param pairs by the name of the weight that is adapted
   * @return the adapter, for any number of sequences
   * @throws LlamaException if a pair does not fit the weight, or the model has none of that name
   */
  public LowRankAdapter adapter(String name, Map<String, LowRankPair> pairs) {
    lock.lock();
    try {
      requireOpen();
      Map<String, LowRankAdapter.Update> updates = new HashMap<>();
      pairs.forEach((weight, pair) -> updates.put(weight, kernels.update(weight, pair)));
      return new LowRankAdapter(name, updates);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Refuses further use of an adapter. When this returns, no kernel reads its tensors any more.
   *
   * @param adapter made by {@link #adapter}
   */
  public void release(LowRankAdapter adapter) {
    adapter.close();
    lock.lock();
    lock.unlock();
  }

  /**
   * Makes an empty batch.
   *
   * @return a batch of the capacity the model was loaded with
   */
  public Batch newBatch() {
    return new Batch(
        cache,
        workspace.rows(),
        configuration.vocabularySize(),
        configuration.embeddingRows(),
        configuration.dim());
  }

  /**
   * Runs the tokens of a batch through the model: their keys and values are appended to the
   * sequences, the logits that were asked for are written to the batch, and the batch can be
   * cleared for the next tokens.
   *
   * @param batch tokens of any sequences of this model
   * @throws LlamaException if a sequence is full or closed, the model is closed, or its file can no
   *     longer be read
   * @throws IllegalArgumentException if the batch was made by another model
   * @throws CancellationException if the batch's condition became true; the sequences are as before
   */
  public void forward(Batch batch) {
    if (!batch.isOf(cache)) {
      throw new IllegalArgumentException("expected a batch of this model, found one of another");
    }
    lock.lock();
    try {
      requireOpen();
      if (batch.size() == 0) {
        return;
      }
      beforeEachPass.run();
      batch.prepare();
      int rows = batch.size();
      if (!crossLayers.isEmpty()) {
        batch.look(this::look);
      }
      kernels.begin(batch);
      kernels.embed(head.embedding(), batch.tokens(), rows, workspace.residual());
      replaceEmbeddings(batch);
      rotary.angles(batch.positions(), rows, workspace.angles());
      kernels.publish(workspace.angles(), rows);
      workspace.temperature().prepare(kernels, batch.positions(), rows);
      for (Layer layer : layers) {
        if (closed || batch.cancelled()) {
          throw new CancellationException(
              closed ? "the model was closed" : "the forward pass was cancelled");
        }
        layer.forward(batch);
      }
      computeLogits(batch);
      if (batch.statesWanted()) {
        addStates(batch);
      }
      kernels.finish();
      batch.advance();
    } catch (RuntimeException | Error e) {
      batch.forgetPictures();
      abandon(e);
      if (e instanceof InternalError) {
        throw new LlamaException(
            "the model's weights can no longer be read: their file was cut short, or its disk failed, while it was in use",
            e);
      }
      throw e;
    } finally {
      kernels.end();
      lock.unlock();
    }
  }

  /** Pages may get other owners now: nothing that was begun may still write to them. */
  private void abandon(Throwable cause) {
    try {
      kernels.finish();
    } catch (LlamaException e) {
      cause.addSuppressed(e);
    }
  }

  private void look(FloatMatrix states, PageTable pages, int firstKey) {
    for (CrossAttentionLayer layer : crossLayers) {
      layer.look(states, pages, firstKey);
    }
  }

  /**
   * Makes room in the cache for the next tokens of a sequence. Not needed before {@link #forward},
   * but useful: where many sequences share a batch, one without room then fails alone.
   *
   * @param sequence one of this model
   * @param tokens how many
   * @throws LlamaException if the sequence is full or closed, the model is closed, or there is no
   *     memory
   */
  public void reserve(Sequence sequence, int tokens) {
    lock.lock();
    try {
      requireOpen();
      sequence.requireOf(cache);
      sequence.reserve(tokens);
    } finally {
      lock.unlock();
    }
  }

  /**
   * How many cache pages open sequences hold; those that are only kept to be found again do not
   * count.
   *
   * @return pages
   */
  public long cachePagesInUse() {
    return cache.pagesInUse() + stateCache.map(KeyValueCache::pagesInUse).orElse(0L);
  }

  /**
   * The memory that the key-value cache has taken so far.
   *
   * @return bytes
   */
  public long cacheBytes() {
    return cache.bytesAllocated() + stateCache.map(KeyValueCache::bytesAllocated).orElse(0L);
  }

  /**
   * Ends the current forward pass, if any, at its next layer, and refuses further ones. When this
   * returns, no kernel runs any more and the weights may be unmapped.
   */
  public void close() {
    closed = true;
    lock.lock();
    lock.unlock();
  }

  private void computeLogits(Batch batch) {
    FloatMatrix normed = workspace.normed();
    FloatMatrix residual = workspace.residual();
    for (int first = 0; first < batch.logitsCount(); first += LOGITS_ROWS) {
      int count = Math.min(LOGITS_ROWS, batch.logitsCount() - first);
      for (int i = 0; i < count; i++) {
        int row = batch.wanted().place(batch.logitsRow(first + i));
        kernels.copyRow(residual, row, normed, i);
      }
      kernels.rmsNorm(normed, count, head.outputNorm(), configuration.normEps(), normed);
      kernels.beginLogits(batch, first, count);
      kernels.project(normed, count, toVocabulary);
      handOver(batch, first, count);
    }
  }

  /** All logits of a row, or the greatest. */
  private void handOver(Batch batch, int first, int count) {
    int most = 0;
    boolean all = false;
    for (int i = first; i < first + count; i++) {
      all |= batch.best(i) == null;
      most = Math.max(most, batch.best(i) == null ? 0 : batch.best(i).capacity());
    }
    most = Math.min(most, logits.columns());
    if (most > 0) {
      kernels.best(logits, count, most, bestIds, bestLogits);
    }
    if (all) {
      kernels.fetch(logits, count);
    }
    for (int i = 0; i < count; i++) {
      BestLogits best = batch.best(first + i);
      if (best == null) {
        logits.copyRow(i, batch.logits(first + i));
      } else {
        best.set(bestIds, bestLogits, i * most, most);
      }
    }
  }

  private void addStates(Batch batch) {
    FloatMatrix normed = workspace.normed();
    WantedRows wanted = batch.wanted();
    int rows = wanted.count();
    kernels.rmsNorm(workspace.residual(), rows, head.outputNorm(), configuration.normEps(), normed);
    kernels.fetch(normed, rows);
    for (int row = 0; row < rows; row++) {
      float[] sum = batch.stateTarget(wanted.row(row));
      if (sum != null) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] += normed.get(row, i);
        }
      }
    }
  }

  /** Rows of an encoder take the places of tokens. */
  private void replaceEmbeddings(Batch batch) {
    if (batch.replacesEmbeddings()) {
      kernels.fetch(workspace.residual(), batch.size());
      batch.replaceEmbeddings(workspace.residual());
      kernels.publish(workspace.residual(), batch.size());
    }
  }

  /**
   * Checks that there still is a model.
   *
   * @throws LlamaException if {@link #close} was called
   */
  public void requireOpen() {
    if (closed) {
      throw new LlamaException("the model is closed: load it again to use it");
    }
  }
}
