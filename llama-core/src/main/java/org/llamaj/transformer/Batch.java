package org.llamaj.transformer;

import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.Span;
import org.llamaj.tensor.FloatMatrix;

/**
 * The tokens of one forward pass: any number of sequences, any number of tokens of each, up to the
 * capacity. Used again and again by its owner; not thread-safe.
 */
public final class Batch {
  private static final BooleanSupplier NEVER = () -> false;

  private final KeyValueCache cache; // of the model
  private final int vocabularySize;
  private final int readable; // token ids
  private final int dim;
  private final int[] tokens;
  private final int[] positions;
  private final Sequence[] sequences;
  private final int[] logitsRows;

  /** Rows that take the places of tokens: where they are, or null. */
  private final FloatMatrix[] embeddings;

  private final int[] embeddingRows;

  /** What the cross-attention layers see from this token on, or null. */
  private final FloatMatrix[] pictures;

  private Span[] seeing = new Span[1];
  private int seeingCount;
  private float[][] own = new float[0][]; // made on demand
  private float[][] logits = new float[1][]; // by index, where all are wanted
  private BestLogits[] best = new BestLogits[1]; // the others
  private Span[] spans = new Span[1];
  private int size;
  private int spanCount;
  private int logitsCount;
  private BooleanSupplier cancelled = NEVER;

  /** By row: where its final state is added, or null. */
  private final float[][] states;

  private boolean statesWanted;
  private final WantedRows wanted;

  Batch(KeyValueCache cache, int capacity, int vocabularySize, int readable, int dim) {
    this.cache = cache;
    this.vocabularySize = vocabularySize;
    this.readable = readable;
    pictures = new FloatMatrix[capacity];
    this.dim = dim;
    embeddings = new FloatMatrix[capacity];
    embeddingRows = new int[capacity];
    states = new float[capacity][];
    tokens = new int[capacity];
    positions = new int[capacity];
    sequences = new Sequence[capacity];
    logitsRows = new int[capacity];
    wanted = new WantedRows(capacity);
  }

  /**
   * The most tokens a forward pass takes.
   *
   * @return tokens
   */
  public int capacity() {
    return tokens.length;
  }

  /**
   * How many tokens are in the batch.
   *
   * @return tokens
   */
  public int size() {
    return size;
  }

  boolean isOf(KeyValueCache other) {
    return cache == other;
  }

  /** Empties the batch. */
  public void clear() {
    Arrays.fill(sequences, 0, size, null);
    Arrays.fill(spans, 0, spanCount, null);
    Arrays.fill(embeddings, 0, size, null);
    Arrays.fill(states, 0, size, null);
    Arrays.fill(pictures, 0, size, null);
    Arrays.fill(seeing, 0, seeingCount, null);
    seeingCount = 0;
    wanted.clear();
    statesWanted = false;
    size = 0;
    spanCount = 0;
    logitsCount = 0;
  }

  /**
   * Adds the next token of a sequence. The tokens of one sequence are added one after another.
   *
   * @param sequence where the token belongs
   * @param token its id
   * @return this
   * @throws IllegalArgumentException if the batch is full, the id is not in the vocabulary, the
   *     sequence is of another model, or it came earlier in the batch, before another one
   */
  public Batch add(Sequence sequence, int token) {
    check(token);
    append(sequence);
    tokens[size] = token;
    size++;
    return this;
  }

  /**
   * Adds a row that takes the place of the next token's embedding, as encoders of pictures make
   * them.
   *
   * @param sequence where the row belongs
   * @param rows rows of dim values; read by the forward pass
   * @param row which of them
   * @return this
   * @throws IllegalArgumentException if the batch is full, there is no such row, or the sequence
   *     came earlier in the batch, before another one
   */
  public Batch add(Sequence sequence, FloatMatrix rows, int row) {
    if (rows.columns() != dim || row < 0 || row >= rows.rows()) {
      throw new IllegalArgumentException(
          "expected row %d of a matrix with rows of %d values, found %d rows of %d"
              .formatted(row, dim, rows.rows(), rows.columns()));
    }
    append(sequence);
    tokens[size] = 0;
    embeddings[size] = rows;
    embeddingRows[size] = row;
    size++;
    return this;
  }

  /**
   * Adds the token of a picture, from which on the sequence sees the picture's states.
   *
   * @param sequence where the token belongs
   * @param token its id, which may lie behind the vocabulary
   * @param seen rows of dim values; read by the forward pass
   * @return this
   * @throws IllegalArgumentException if the batch is full, the model does not know the id or has no
   *     cross-attention layers, or the sequence came earlier in the batch, before another one
   */
  public Batch add(Sequence sequence, int token, FloatMatrix seen) {
    if (seen.columns() != dim || sequence.seenStates() == null) {
      throw new IllegalArgumentException(
          sequence.seenStates() == null
              ? "the model has no cross-attention layers to see a picture with"
              : "expected states of %d values, found %d".formatted(dim, seen.columns()));
    }
    add(sequence, token);
    pictures[size - 1] = seen;
    return this;
  }

  private void append(Sequence sequence) {
    if (size == tokens.length) {
      throw new IllegalArgumentException("the batch is full: it takes %d tokens".formatted(size));
    }
    boolean continues = size > 0 && sequences[size - 1] == sequence;
    if (!continues) {
      sequence.requireOf(cache);
      for (int i = 0; i < size; i++) {
        if (sequences[i] == sequence) {
          throw new IllegalArgumentException(
              "the tokens of one sequence must be added one after another");
        }
      }
    }
    sequences[size] = sequence;
    positions[size] = continues ? positions[size - 1] + 1 : sequence.length();
  }

  /**
   * Asks for the logits of the token added last.
   *
   * @return the index under which {@link #logits} gives them
   */
  public int wantLogits() {
    if (logitsCount >= own.length) {
      own = Arrays.copyOf(own, Math.max(logitsCount + 1, 2 * own.length));
    }
    if (own[logitsCount] == null) {
      own[logitsCount] = new float[vocabularySize];
    }
    return wantLogits(own[logitsCount]);
  }

  /**
   * Asks for the logits of the token added last.
   *
   * @param target where they are written: one value per token id
   * @return the index under which {@link #logits} gives this array
   */
  public int wantLogits(float[] target) {
    if (target.length != vocabularySize) {
      throw new IllegalArgumentException(
          "expected room for %d logits, found %d".formatted(vocabularySize, target.length));
    }
    return want(target, null);
  }

  /**
   * Asks for the greatest logits of the token added last.
   *
   * @param target where they are written
   * @return the index under which {@link #best} gives this object
   */
  public int wantBest(BestLogits target) {
    return want(null, target);
  }

  private int want(float[] all, BestLogits some) {
    if (size == 0) {
      throw new IllegalArgumentException("logits of an empty batch were asked for");
    }
    if (logitsCount == logits.length) {
      logits = Arrays.copyOf(logits, 2 * logitsCount);
      best = Arrays.copyOf(best, 2 * logitsCount);
    }
    logits[logitsCount] = all;
    best[logitsCount] = some;
    logitsRows[logitsCount] = size - 1;
    return logitsCount++;
  }

  /**
   * Asks for the state of the token added last: its row of the residual stream after the final
   * norm, which the logits are made of.
   *
   * @param sum an array of dim values, to which the forward pass adds it
   */
  public void addStateTo(float[] sum) {
    if (size == 0 || sum.length != dim) {
      throw new IllegalArgumentException(
          "expected room for the %d values of a token's state, found %d"
              .formatted(dim, sum.length));
    }
    states[size - 1] = sum;
    statesWanted = true;
  }

  /**
   * The logits a forward pass has computed: one value per token id.
   *
   * @param index what {@link #wantLogits} returned
   * @return the array that was given, or one of the batch's own, which the next forward pass
   *     overwrites; null where only the best were asked for
   */
  public float[] logits(int index) {
    return logits[index];
  }

  /**
   * The greatest logits that a forward pass has found.
   *
   * @param index what {@link #wantBest} returned
   * @return the object that was given; null where all logits were asked for
   */
  public BestLogits best(int index) {
    return best[index];
  }

  /**
   * Sets a condition that ends a forward pass between two layers.
   *
   * @param condition asked once per layer; true ends the pass with a {@link
   *     java.util.concurrent.CancellationException} and leaves the sequences as they were
   * @return this
   */
  public Batch cancelWhen(BooleanSupplier condition) {
    cancelled = condition;
    return this;
  }

  /**
   * Takes back what was added last.
   *
   * @param newSize how many tokens stay
   */
  public void truncate(int newSize) {
    while (size > newSize) {
      size--;
      sequences[size] = null;
      embeddings[size] = null;
      states[size] = null;
      pictures[size] = null;
    }
    while (logitsCount > 0 && logitsRows[logitsCount - 1] >= size) {
      logitsCount--;
    }
  }

  private void check(int token) {
    if (token < 0 || token >= readable) {
      throw new IllegalArgumentException(
          "expected token ids from 0 to %d, found %d".formatted(readable - 1, token));
    }
  }

  boolean cancelled() {
    return cancelled.getAsBoolean();
  }

  int[] tokens() {
    return tokens;
  }

  /** Whether rows take the places of some tokens' embeddings. */
  boolean replacesEmbeddings() {
    for (int i = 0; i < size; i++) {
      if (embeddings[i] != null) {
        return true;
      }
    }
    return false;
  }

  /** Overwrites the embeddings of tokens that rows take the places of. */
  void replaceEmbeddings(FloatMatrix residual) {
    for (int i = 0; i < size; i++) {
      if (embeddings[i] != null) {
        residual.row(i).copyFrom(embeddings[i].row(embeddingRows[i]));
      }
    }
  }

  Sequence sequence(int row) {
    return sequences[row];
  }

  /** Whether any of the sequences has adapters. */
  boolean isAdapted() {
    for (int row = 0; row < size; row++) {
      if (!sequences[row].adapters().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  int[] positions() {
    return positions;
  }

  boolean statesWanted() {
    return statesWanted;
  }

  /** Where a row's final state is added, or null. */
  float[] stateTarget(int row) {
    return states[row];
  }

  int logitsCount() {
    return logitsCount;
  }

  int logitsRow(int index) {
    return logitsRows[index];
  }

  /** Rows that see pictures, all those that see the same together. */
  Span[] seeing() {
    return seeing;
  }

  int seeingCount() {
    return seeingCount;
  }

  /** Tells what takes up new states. */
  interface Looking {
    void look(FloatMatrix states, PageTable pages, int firstKey);
  }

  /** Hands the new pictures over, and finds out which rows see what. */
  void look(Looking eye) {
    seeingCount = 0;
    SeenStates.View before = null;
    for (int row = 0; row < size; row++) {
      SeenStates seen = sequences[row].seenStates();
      if (pictures[row] != null) {
        int count = pictures[row].rows();
        SeenStates.View view = seen.add(positions[row], count);
        eye.look(pictures[row], view.group(), view.keys() - count);
      }
      SeenStates.View view = seen.at(positions[row]);
      if (view == null) {
        before = null;
        continue;
      }
      if (view.equals(before)) {
        Span last = seeing[seeingCount - 1];
        seeing[seeingCount - 1] =
            Span.seeingAll(last.pages(), last.firstRow(), last.rows() + 1, last.keys());
      } else {
        if (seeingCount == seeing.length) {
          seeing = Arrays.copyOf(seeing, 2 * seeingCount);
        }
        seeing[seeingCount++] = Span.seeingAll(view.group(), row, 1, view.keys());
      }
      before = view;
    }
  }

  /** Forgets the pictures of a forward pass that came to no end. */
  void forgetPictures() {
    for (int row = 0; row < size; row++) {
      if (pictures[row] != null) {
        sequences[row].seenStates().truncate(sequences[row].length());
      }
    }
  }

  Span[] spans() {
    return spans;
  }

  int spanCount() {
    return spanCount;
  }

  /** The rows that are needed to the end. */
  WantedRows wanted() {
    return wanted;
  }

  /** Reserves cache for all tokens, groups rows into spans and finds the wanted ones. */
  void prepare() {
    spanCount = 0;
    for (int first = 0; first < size; ) {
      int end = endOfSpan(first);
      Sequence sequence = sequences[first];
      sequence.reserve(end - first);
      if (spanCount == spans.length) {
        spans = Arrays.copyOf(spans, 2 * spanCount);
      }
      spans[spanCount++] = new Span(sequence.pageTable(), first, end - first, sequence.length());
      first = end;
    }
    wanted.find(this);
  }

  /** Counts the tokens as stored. */
  void advance() {
    for (int i = 0; i < size; i++) {
      if (embeddings[i] != null || pictures[i] != null) {
        tokens[i] = -1;
      }
    }
    for (int first = 0; first < size; ) {
      int end = endOfSpan(first);
      sequences[first].advance(tokens, first, end - first);
      first = end;
    }
  }

  private int endOfSpan(int first) {
    int end = first + 1;
    while (end < size && sequences[end] == sequences[first]) {
      end++;
    }
    return end;
  }
}
