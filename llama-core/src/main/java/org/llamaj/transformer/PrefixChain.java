package org.llamaj.transformer;

import java.util.ArrayList;
import java.util.List;
import org.llamaj.kernel.AttentionShape;

/**
 * The blocks of the {@link PrefixIndex} that one sequence consists of, from its beginning on,
 * without gaps. Not thread-safe.
 */
final class PrefixChain {
  private static final int TOKENS = AttentionShape.PAGE_TOKENS;

  private final PrefixIndex index;
  private final PrefixIndex.Block root;
  private final List<PrefixIndex.Block> blocks = new ArrayList<>();

  PrefixChain(PrefixIndex index, long salt) {
    this.index = index;
    root = index.root(salt);
  }

  private PrefixChain(PrefixChain other) {
    index = other.index;
    root = other.root;
    blocks.addAll(other.blocks);
    index.useAgain(blocks);
  }

  /** The same blocks for one more sequence. */
  PrefixChain fork() {
    return new PrefixChain(this);
  }

  /** Whether both find the same blocks. */
  boolean sharesWith(PrefixChain other) {
    return root == other.root;
  }

  /**
   * Takes over blocks that others have computed.
   *
   * @param run of a sequence that has the tokens up to {@code length}; gets the pages
   * @param tokens what the sequence is to hold
   * @param length how many tokens it has, a multiple of a block
   * @param limit how many tokens it may have afterwards
   * @return how many it has
   */
  int extend(PageRun run, int[] tokens, int length, int limit) {
    int end = length;
    while (blocks.size() * TOKENS == end && end + TOKENS <= limit) {
      PrefixIndex.Block block = index.use(last(), tokens, end);
      if (block == null) {
        break;
      }
      run.append(block.page());
      blocks.add(block);
      end += TOKENS;
    }
    return end;
  }

  /** Whether others have computed the block that begins at a length. */
  boolean canExtend(int[] tokens, int length, int limit) {
    return length + TOKENS <= limit
        && blocks.size() * TOKENS == length
        && index.contains(last(), tokens, length);
  }

  /**
   * Makes blocks that have become complete known, and shares those that are known already.
   *
   * @param run the sequence's pages
   * @param tokens what it holds; negative where something else stands in the place of a token
   * @param length how many
   */
  void enter(PageRun run, int[] tokens, int length) {
    while ((blocks.size() + 1) * TOKENS <= length) {
      int page = blocks.size();
      int from = page * TOKENS;
      for (int i = from; i < from + TOKENS; i++) {
        if (tokens[i] < 0) {
          return;
        }
      }
      PrefixIndex.Block block = index.enter(last(), tokens, from, run.page(page));
      run.replace(page, block.page());
      blocks.add(block);
    }
  }

  /** Gives back the blocks that are not complete any more. */
  void truncate(int length) {
    while (blocks.size() * TOKENS > length) {
      index.release(blocks.removeLast());
    }
  }

  private PrefixIndex.Block last() {
    return blocks.isEmpty() ? root : blocks.getLast();
  }
}
