package org.llamaj.grammar;

/**
 * All that a text may go on with: a set of stacks. States are made once and found again, and
 * remember where each byte leads: a deterministic automaton that is built while it runs.
 */
final class State {
  private final StateSpace space;
  private final Frame[] tops;
  private final boolean complete;
  private final boolean escaped;
  private final State[] next;

  /** The tokens that may come next, once they were asked for. */
  private volatile TokenMask mask;

  State(StateSpace space, Frame[] tops, boolean complete, boolean escaped, int classCount) {
    this.space = space;
    this.tops = tops;
    this.complete = complete;
    this.escaped = escaped;
    next = new State[classCount];
  }

  /** The state after one more byte; {@link #isDead} if none is possible. */
  State next(byte b) {
    int byteClass = space.automaton().byteClass(b & 0xff);
    State state = next[byteClass];
    if (state == null) {
      state = space.step(this, byteClass);
      // Other threads may do the same; they find the same state.
      next[byteClass] = state;
    }
    return state;
  }

  /** The state after more bytes. */
  State next(byte[] bytes, int from) {
    State state = this;
    for (int i = from; i < bytes.length && !state.isDead(); i++) {
      state = state.next(bytes[i]);
    }
    return state;
  }

  /** The stacks; each top reads a byte. */
  Frame[] tops() {
    return tops;
  }

  /** Whether the text may end here. */
  boolean complete() {
    return complete;
  }

  /** Whether the part of the stack that is looked at may have ended here. */
  boolean escaped() {
    return escaped;
  }

  TokenMask mask() {
    return mask;
  }

  void setMask(TokenMask found) {
    mask = found;
  }

  boolean isDead() {
    return tops.length == 0 && !complete && !escaped;
  }

  /** The fewest bytes after which the text may end. */
  long shortest() {
    long shortest = complete ? 0 : Rules.NEVER;
    for (Frame top : tops) {
      shortest = Math.min(shortest, top.shortest());
    }
    return shortest;
  }
}
