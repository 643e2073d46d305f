package org.llamaj.transformer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.kernel.AttentionShape;

/**
 * Finds the cache pages of texts that begin alike: a tree whose nodes are blocks of {@link
 * AttentionShape#PAGE_TOKENS} tokens, each with the page that holds their keys and values. A
 * block's keys and values depend on all tokens before it, so the way from the root is its whole
 * name; the tokens themselves are compared, never their hash alone.
 *
 * <p>Blocks that a sequence uses stay. The others are kept until they take more than the budget;
 * then the one that has not been used for longest goes first. (A sequence that ends gives its last
 * block back first, so that a block is always older than the one before it, and leaves go first.)
 *
 * <p>Only for models in which all layers see everything: where layers drop what is before their
 * attention chunk, a block would hold on to it. Thread-safe.
 */
final class PrefixIndex {
  private static final int TOKENS = AttentionShape.PAGE_TOKENS;

  /** Tokens as a key. */
  private record Key(int[] tokens) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Key(int[] others) && Arrays.equals(tokens, others);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(tokens);
    }
  }

  /** A block of tokens with its pages, or a root. Guarded by the index. */
  static final class Block {
    private final Block parent;
    private final Key key;
    private final Page page;
    private final Map<Key, Block> children = new HashMap<>(2);
    private int users;
    private Block older;
    private Block newer;

    private Block(Block parent, Key key, Page page) {
      this.parent = parent;
      this.key = key;
      this.page = page;
    }

    Page page() {
      return page;
    }
  }

  private final PagePool pool;
  private final long budget;
  private final Map<Long, Block> roots = new HashMap<>();
  private Block oldest;
  private Block newest;
  private long idle;

  /**
   * @param pool where the pages belong
   * @param budget the most bytes of blocks that no sequence uses
   */
  PrefixIndex(PagePool pool, long budget) {
    this.pool = pool;
    this.budget = budget;
  }

  /**
   * Where texts begin.
   *
   * @param salt tells apart what the same tokens stand for, where weights are adapted
   */
  synchronized Block root(long salt) {
    return roots.computeIfAbsent(salt, _ -> new Block(null, null, null));
  }

  /**
   * The block of these tokens after another one, for one more user; null if there is none.
   *
   * @param tokens hold the block's tokens
   * @param from index of the first of them
   */
  synchronized Block use(Block parent, int[] tokens, int from) {
    Block block = parent.children.get(key(tokens, from));
    if (block != null) {
      use(block);
    }
    return block;
  }

  /** Whether there is a block of these tokens. */
  synchronized boolean contains(Block parent, int[] tokens, int from) {
    return parent.children.containsKey(key(tokens, from));
  }

  /**
   * The block of these tokens, for one more user; made from the page if there is none.
   *
   * @param page holds the tokens' keys and values; shared with the block if that is new
   */
  synchronized Block enter(Block parent, int[] tokens, int from, Page page) {
    Key key = key(tokens, from);
    Block block = parent.children.get(key);
    if (block != null) {
      use(block);
      return block;
    }
    pool.share(page);
    block = new Block(parent, key, page);
    block.users = 1;
    parent.children.put(key, block);
    return block;
  }

  /** Blocks that are in use already get one more user each. */
  synchronized void useAgain(List<Block> blocks) {
    blocks.forEach(this::use);
  }

  /** One user less. */
  synchronized void release(Block block) {
    block.users--;
    if (block.users == 0) {
      append(block);
      while (idle * pool.pageBytes() > budget) {
        evict();
      }
    }
  }

  /** Gives up the oldest block that nobody uses; false if there is none. */
  synchronized boolean evict() {
    Block block = oldest;
    if (block == null) {
      return false;
    }
    unlink(block);
    block.parent.children.remove(block.key);
    pool.release(block.page);
    return true;
  }

  /** How many blocks nobody uses. */
  synchronized long idleBlocks() {
    return idle;
  }

  private void use(Block block) {
    if (block.users == 0) {
      unlink(block);
    }
    block.users++;
  }

  private void append(Block block) {
    block.older = newest;
    if (newest == null) {
      oldest = block;
    } else {
      newest.newer = block;
    }
    newest = block;
    idle++;
  }

  private void unlink(Block block) {
    if (block.older == null) {
      oldest = block.newer;
    } else {
      block.older.newer = block.newer;
    }
    if (block.newer == null) {
      newest = block.older;
    } else {
      block.newer.older = block.older;
    }
    block.older = null;
    block.newer = null;
    idle--;
  }

  private static Key key(int[] tokens, int from) {
    return new Key(Arrays.copyOfRange(tokens, from, from + TOKENS));
  }
}
