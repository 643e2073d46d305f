package org.llamaj.transformer;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.llamaj.LlamaException;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.PageTable;

/**
 * One conversation's tokens in the key-value cache. Cheap to open; give it back with {@link
 * #close}. Not thread-safe: one thread at a time.
 */
public final class Sequence implements AutoCloseable {
  private final KeyValueCache cache;
  private final BooleanSupplier relief; // gives up pages where there is no memory
  private final PageRun[] runs; // one per pool of the cache
  private final int contextLength;
  private final List<AdapterUse> adapters;
  private final PageTable table = new Pages();
  private final PrefixChain prefix; // null if nothing is shared
  private final SeenStates seenStates; // null without cross-attention layers

  /** The tokens; negative where rows of an encoder stand in their place. */
  private int[] tokens;

  private int length;
  private boolean closed;

  Sequence(
      KeyValueCache cache,
      SeenStates seenStates,
      int contextLength,
      long salt,
      List<AdapterUse> adapters) {
    this.seenStates = seenStates;
    this.cache = cache;
    relief = cache::evict;
    this.adapters = adapters;
    this.contextLength = contextLength;
    runs = cache.pools().stream().map(PageRun::new).toArray(PageRun[]::new);
    prefix = cache.newChain(salt);
    tokens = new int[AttentionShape.PAGE_TOKENS];
  }

  private Sequence(Sequence other) {
    cache = other.cache;
    relief = other.relief;
    contextLength = other.contextLength;
    adapters = other.adapters;
    runs = Arrays.stream(other.runs).map(PageRun::fork).toArray(PageRun[]::new);
    prefix = other.prefix == null ? null : other.prefix.fork();
    tokens = other.tokens.clone();
    length = other.length;
    seenStates = other.seenStates == null ? null : other.seenStates.fork();
  }

  /**
   * How many tokens have passed through the model; also the position of the next one.
   *
   * @return tokens in the cache
   */
  public int length() {
    return length;
  }

  /**
   * How many tokens the sequence can hold.
   *
   * @return the context length the model was loaded with
   */
  public int contextLength() {
    return contextLength;
  }

  /**
   * A second sequence with the same tokens. The two share memory until they differ.
   *
   * @return to be closed by the caller
   * @throws LlamaException if this one is closed
   */
  public Sequence fork() {
    checkOpen();
    return new Sequence(this);
  }

  /**
   * Takes over keys and values of tokens that another sequence has read, where there are any: the
   * sequence grows without a forward pass.
   *
   * @param ids tokens, the first {@link #length} of which are those in the sequence
   * @param limit how many of them may be taken over; fewer than all where logits are wanted
   * @return the new length
   */
  public int adopt(int[] ids, int limit) {
    checkOpen();
    if (prefix == null) {
      return length;
    }
    int start = length / AttentionShape.PAGE_TOKENS * AttentionShape.PAGE_TOKENS;
    int end = Math.min(limit, contextLength);
    if (start < length && prefix.canExtend(ids, start, end)) {
      truncate(start);
    }
    if (start == length) {
      int adopted = prefix.extend(runs[0], ids, start, end);
      if (adopted > start) {
        remember(ids, start, adopted - start);
        length = adopted;
      }
    }
    return length;
  }

  /**
   * Whether {@link #adopt} would find what another sequence has read.
   *
   * @param other a sequence of this model
   * @return false if the model keeps nothing to be found, or the salts differ
   */
  public boolean sharesWith(Sequence other) {
    return prefix != null && other.prefix != null && prefix.sharesWith(other.prefix);
  }

  /**
   * The tokens of the sequence.
   *
   * @return a copy; negative where rows of an encoder stand in the place of a token
   */
  public int[] tokens() {
    return Arrays.copyOf(tokens, length);
  }

  /**
   * Forgets the tokens from a position on. Models with attention chunks keep only the last chunk of
   * most layers (and the one before for its first {@value PagePool#ROLLBACK_TOKENS} tokens), so a
   * sequence that is to end in an earlier chunk is cut back to the beginning of that chunk: the
   * tokens from there on have to be given again.
   *
   * @param newLength how many tokens should stay, at most {@link #length}
   * @return how many tokens stay, at most {@code newLength}; also the new {@link #length}
   */
  public int truncate(int newLength) {
    if (newLength < 0 || newLength > length) {
      throw new IllegalArgumentException(
          "expected a length from 0 to %d, found %d".formatted(length, newLength));
    }
    length = resumable(newLength);
    if (prefix != null) {
      prefix.truncate(length);
    }
    for (PageRun run : runs) {
      run.truncate(length);
    }
    if (seenStates != null) {
      seenStates.truncate(length);
    }
    return length;
  }

  /** The greatest length up to this one at which all layers have what they need. */
  private int resumable(int newLength) {
    int best = newLength;
    for (int i = 0; i < runs.length; i++) {
      int possible = runs[i].resumable(best);
      if (possible < best) {
        best = possible;
        i = -1; // ask all again
      }
    }
    return best;
  }

  /**
   * Writes tokens with their keys and values: those in full pages, and, in models with
   * cross-attention, before the first picture. Of a sequence that has outgrown an attention chunk
   * nothing is left to be written.
   *
   * @param out receives them
   * @param limit how many of the first tokens may be written
   * @throws IOException if it cannot be written to
   */
  public void save(DataOutputStream out, int limit) throws IOException {
    checkOpen();
    int most = Math.min(limit, length);
    int seen = seenStates == null ? most : Math.min(most, seenStates.first());
    new SavedPages(cache).save(out, tokens, seen, runs);
  }

  /**
   * Takes over what {@link #save} wrote. Where the model stores keys and values in another way now
   * (another cache type), the sequence stays empty.
   *
   * @param in what was written
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if this sequence is not empty
   */
  public void restore(DataInputStream in) throws IOException {
    checkOpen();
    if (length != 0) {
      throw new IllegalArgumentException("expected an empty sequence, found " + length);
    }
    int[] ids = new SavedPages(cache).restore(in, contextLength, runs);
    advance(ids, 0, ids.length);
  }

  /** Gives the memory back to the model. */
  @Override
  public void close() {
    if (!closed) {
      truncate(0);
      closed = true;
    }
  }

  SeenStates seenStates() {
    return seenStates;
  }

  /** The adapters that its tokens go through. */
  List<AdapterUse> adapters() {
    return adapters;
  }

  PageTable pageTable() {
    return table;
  }

  /**
   * Checks that more tokens fit into the context.
   *
   * @param count how many
   * @throws LlamaException if they do not, or the sequence is closed
   */
  public void requireRoom(int count) {
    checkOpen();
    if (count > contextLength - length) {
      throw new LlamaException(
          "the context of %d tokens is full: it holds %d, and %d more were given; load with a longer context or shorten the text"
              .formatted(contextLength, length, count));
    }
  }

  /** Kernels write where the sequence says: it has to be one of the model that computes. */
  void requireOf(KeyValueCache model) {
    if (cache != model) {
      throw new IllegalArgumentException(
          "expected a sequence of the same model, found one of another: open it with newSequence of the transformer that runs the batch");
    }
  }

  /** Makes room for tokens at positions up to {@code length + count - 1}. */
  void reserve(int count) {
    requireRoom(count);
    for (PageRun run : runs) {
      run.reserve(length, length + count, relief);
    }
  }

  /** Counts tokens whose keys and values have been stored. */
  void advance(int[] ids, int from, int count) {
    remember(ids, from, count);
    length += count;
    for (PageRun run : runs) {
      run.dropUnseen(length);
    }
    if (prefix != null) {
      prefix.enter(runs[0], tokens, length);
    }
  }

  /** Puts tokens behind the present ones. */
  private void remember(int[] ids, int from, int count) {
    if (length + count > tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(length + count, 2 * tokens.length));
    }
    System.arraycopy(ids, from, tokens, length, count);
  }

  private void checkOpen() {
    if (closed) {
      throw new LlamaException("the sequence is closed: open a new one");
    }
  }

  private final class Pages implements PageTable {
    @Override
    public MemorySegment segment(int layer, int page) {
      return runs[cache.poolOf(layer)]
          .page(page)
          .memory
          .asSlice(cache.offset(layer), cache.bytes(layer));
    }

    @Override
    public long address(int layer, int page) {
      return runs[cache.poolOf(layer)].page(page).memory.address() + cache.offset(layer);
    }
  }
}
