package org.llamaj.grammar;

/**
 * A stack of calls, as a linked list that others share: at the top a node that reads a byte, below
 * the calls and counted repetitions it is in.
 */
final class Frame {
  /** Stands for whatever is below, where only the top of a stack is looked at. */
  static final Frame OUTSIDE = new Frame();

  private final int node;
  private final int count;
  private final Frame parent;
  private final int id;

  /** The fewest bytes to the end of the text: from this node, for a top. */
  private final long shortest;

  /** The fewest bytes to the end of the text after the call or repetition has returned. */
  private final long shortestAfter;

  private Frame() {
    node = -1;
    count = 0;
    parent = null;
    id = 0;
    shortest = 0;
    shortestAfter = 0;
  }

  Frame(Automaton automaton, int node, int count, Frame parent, int id) {
    this.node = node;
    this.count = count;
    this.parent = parent;
    this.id = id;
    long below = parent == null ? 0 : parent.shortestAfter;
    shortest = Math.min(Rules.NEVER, automaton.shortest(node) + below);
    shortestAfter =
        switch (automaton.node(node)) {
          case Node.Call call -> Math.min(Rules.NEVER, automaton.shortest(call.next()) + below);
          case Node.Count repeated ->
              Math.min(
                  Rules.NEVER,
                  Automaton.times(
                          Math.max(0, repeated.min() - count - 1),
                          automaton.shortest(repeated.body()))
                      + automaton.shortest(repeated.next())
                      + below);
          default -> 0;
        };
  }

  int node() {
    return node;
  }

  /** How often what is repeated has come before this time. */
  int count() {
    return count;
  }

  /** Null at the bottom, where the text ends. */
  Frame parent() {
    return parent;
  }

  int id() {
    return id;
  }

  long shortest() {
    return shortest;
  }
}
