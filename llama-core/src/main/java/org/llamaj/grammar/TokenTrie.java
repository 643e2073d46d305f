package org.llamaj.grammar;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.llamaj.tokenizer.Tokenizer;

/**
 * The tokens of a vocabulary that stand for text, as a tree over their bytes. Its nodes are stored
 * in depth-first order, so that a walk over all tokens reads memory from front to back.
 */
final class TokenTrie {
  private final int vocabularySize;
  private final byte[][] bytes;
  private final boolean[] ends;
  private final boolean dropsFirstSpace;

  private byte[] labels = new byte[1 << 16];
  private short[] depths = new short[1 << 16];
  private int[] subtreeEnds = new int[1 << 16];
  private int[] tokens = new int[1 << 16];

  /** How many bytes may follow a node. */
  private short[] heights;

  private final int[] sameBytes;
  private int size;
  private int longest;

  TokenTrie(Tokenizer tokenizer) {
    vocabularySize = tokenizer.vocabularySize();
    bytes = new byte[vocabularySize][];
    ends = new boolean[vocabularySize];
    sameBytes = new int[vocabularySize];
    Arrays.fill(sameBytes, -1);
    for (int id = 0; id < vocabularySize; id++) {
      ends[id] = tokenizer.isEndOfGeneration(id);
      bytes[id] = bytes(tokenizer, id);
    }
    dropsFirstSpace = dropsFirstSpace(tokenizer);
    build();
  }

  private byte[] bytes(Tokenizer tokenizer, int id) {
    byte[] own = tokenizer.bytes(id);
    if (ends[id]) {
      return new byte[0];
    }
    if (tokenizer.isSpecial(id)) {
      return Expression.Control.bytes(own);
    }
    for (byte b : own) {
      if (b == Expression.Control.MARK) {
        return new byte[0]; // would look like a control token, and no text has it
      }
    }
    return own;
  }

  /** Whether a text loses a space at its beginning, as SentencePiece adds one there. */
  private boolean dropsFirstSpace(Tokenizer tokenizer) {
    OptionalInt spaced =
        IntStream.range(0, vocabularySize)
            .filter(id -> bytes[id].length > 1 && bytes[id][0] == ' ')
            .findFirst();
    return spaced.isPresent()
        && !tokenizer.streamingDecoder().accept(spaced.getAsInt()).startsWith(" ");
  }

  private void build() {
    int[] sorted =
        IntStream.range(0, vocabularySize)
            .filter(id -> bytes[id].length > 0 && bytes[id].length < Short.MAX_VALUE)
            .boxed()
            .sorted((a, b) -> Arrays.compareUnsigned(bytes[a], bytes[b]))
            .mapToInt(Integer::intValue)
            .toArray();
    int[] path = new int[16];
    int depth = 0;
    byte[] previous = {};
    for (int id : sorted) {
      byte[] text = bytes[id];
      int common = Arrays.mismatch(previous, text);
      if (common < 0) {
        int node = path[depth - 1];
        sameBytes[id] = tokens[node];
        tokens[node] = id;
        continue;
      }
      close(path, depth, common);
      depth = common;
      path = path.length < text.length ? Arrays.copyOf(path, 2 * text.length) : path;
      while (depth < text.length) {
        path[depth] = add(text[depth], depth + 1);
        depth++;
      }
      tokens[path[depth - 1]] = id;
      previous = text;
      longest = Math.max(longest, text.length);
    }
    close(path, depth, 0);
    heights = heights();
  }

  private short[] heights() {
    short[] heights = new short[size];
    short[] deepest = new short[longest + 2]; // of the nodes after, by depth
    for (int i = size - 1; i >= 0; i--) {
      int depth = depths[i];
      short deep = (short) Math.max(depth, deepest[depth + 1]);
      deepest[depth + 1] = 0;
      deepest[depth] = (short) Math.max(deepest[depth], deep);
      heights[i] = (short) (deep - depth);
    }
    return heights;
  }

  private void close(int[] path, int depth, int down) {
    for (int i = down; i < depth; i++) {
      subtreeEnds[path[i]] = size;
    }
  }

  private int add(byte label, int depth) {
    if (size == labels.length) {
      labels = Arrays.copyOf(labels, 2 * size);
      depths = Arrays.copyOf(depths, 2 * size);
      subtreeEnds = Arrays.copyOf(subtreeEnds, 2 * size);
      tokens = Arrays.copyOf(tokens, 2 * size);
    }
    labels[size] = label;
    depths[size] = (short) depth;
    tokens[size] = -1;
    return size++;
  }

  /** Follows states through the tree. */
  interface Visitor {
    /**
     * A node whose bytes the grammar allows.
     *
     * @param node its number
     * @param state the state after its bytes
     */
    void visit(int node, State state);
  }

  /**
   * Walks over all nodes below one whose bytes a state allows.
   *
   * @param node -1 for all tokens
   * @param state the state at the node
   * @param visitor sees the nodes in depth-first order
   */
  void walk(int node, State state, Visitor visitor) {
    walk(node, state, newPath(), visitor);
  }

  /** Room for the states of a walk; one serves many walks, one after the other. */
  State[] newPath() {
    return new State[longest + 1];
  }

  /** The same walk with a path that is there. */
  void walk(int node, State state, State[] path, Visitor visitor) {
    int base = node < 0 ? 0 : depths[node];
    int end = node < 0 ? size : subtreeEnds[node];
    path[base] = state;
    int i = node + 1;
    while (i < end) {
      int depth = depths[i];
      State next = path[depth - 1].next(labels[i]);
      if (next.isDead()) {
        i = subtreeEnds[i];
        continue;
      }
      path[depth] = next;
      visitor.visit(i, next);
      i = next.tops().length == 0 ? subtreeEnds[i] : i + 1;
    }
  }

  /** Sees where two states lead to different ones. */
  interface Changes {
    /**
     * Whether two states lead to the same for some bytes.
     *
     * @param state one
     * @param other another one
     * @param bytes how many
     * @return true if they do; false if nobody knows
     */
    boolean alike(State state, State other, int bytes);

    /**
     * Nodes at which both states lead to the same, and all below them.
     *
     * @param from the first
     * @param to the one after the last
     */
    void same(int from, int to);

    /**
     * A node that leads to something else, and that the first state allows.
     *
     * @param node its number
     * @param state the state after its bytes
     */
    void reached(int node, State state);

    /**
     * Nodes that the first state does not allow.
     *
     * @param from the first
     * @param to the one after the last
     */
    void dead(int from, int to);
  }

  /** Whether two states lead to the same for most of the tree, as two bytes tell. */
  boolean isMostlyLike(State state, State other, Changes changes) {
    int others = 0;
    for (int i = 0; i < size && others < size / 2; i = subtreeEnds[i]) {
      State next = state.next(labels[i]);
      State otherNext = other.next(labels[i]);
      if (changes.alike(next, otherNext, heights[i])) {
        continue;
      }
      for (int j = i + 1; j < subtreeEnds[i] && others < size / 2; j = subtreeEnds[j]) {
        boolean alike = changes.alike(next.next(labels[j]), otherNext.next(labels[j]), heights[j]);
        others += alike ? 0 : subtreeEnds[j] - j;
      }
    }
    return others < size / 2;
  }

  /** Walks over the tree only where a state leads elsewhere than another one. */
  void walkChanges(State state, State other, Changes visitor) {
    State[] path = newPath();
    State[] others = newPath();
    path[0] = state;
    others[0] = other;
    int i = 0;
    while (i < size) {
      int depth = depths[i];
      int end = subtreeEnds[i];
      State next = path[depth - 1].next(labels[i]);
      State otherNext = others[depth - 1].next(labels[i]);
      if (visitor.alike(next, otherNext, heights[i])) {
        visitor.same(i, end);
        i = end;
      } else if (next.isDead()) {
        visitor.dead(i, end);
        i = end;
      } else {
        path[depth] = next;
        others[depth] = otherNext;
        visitor.reached(i, next);
        if (next.tops().length == 0) {
          visitor.dead(i + 1, end);
          i = end;
        } else {
          i++;
        }
      }
    }
  }

  /** The node of one byte at the beginning, or -1. */
  int first(byte b) {
    for (int i = 0; i < size; i = subtreeEnds[i]) {
      if (labels[i] == b) {
        return i;
      }
    }
    return -1;
  }

  /** The longest token that some bytes begin with, or -1. */
  int longestToken(byte[] text, int from) {
    int found = -1;
    int i = 0;
    int end = size;
    for (int at = from; at < text.length && i < end; ) {
      if (labels[i] != text[at]) {
        i = subtreeEnds[i];
        continue;
      }
      found = tokens[i] >= 0 ? tokens[i] : found;
      end = subtreeEnds[i++];
      at++;
    }
    return found;
  }

  boolean isLeaf(int node) {
    return subtreeEnds[node] == node + 1;
  }

  /** Adds the tokens that end at a node to a set. */
  void addTokens(int node, long[] set) {
    for (int id = tokens[node]; id >= 0; id = sameBytes[id]) {
      set[id >>> 6] |= 1L << id;
    }
  }

  /** Removes the tokens that end at a node from a set. */
  void removeTokens(int node, long[] set) {
    for (int id = tokens[node]; id >= 0; id = sameBytes[id]) {
      set[id >>> 6] &= ~(1L << id);
    }
  }

  /** Adds the tokens that end a text. */
  void addEnds(long[] set) {
    for (int id = 0; id < vocabularySize; id++) {
      if (ends[id]) {
        set[id >>> 6] |= 1L << id;
      }
    }
  }

  boolean isEnd(int id) {
    return ends[id];
  }

  /** What a token is in the automaton; empty for those that end a text. */
  byte[] bytes(int id) {
    return bytes[id];
  }

  boolean dropsFirstSpace() {
    return dropsFirstSpace;
  }

  int vocabularySize() {
    return vocabularySize;
  }

  int longest() {
    return longest;
  }
}
