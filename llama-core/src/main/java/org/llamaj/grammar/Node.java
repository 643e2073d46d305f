package org.llamaj.grammar;

/** A place in the automaton of a grammar: what comes next there. */
sealed interface Node {
  /** The end of a rule or of what is repeated: go on where it was called. */
  record Return() implements Node {}

  /**
   * One byte is read.
   *
   * @param edges which, and where they lead
   */
  record Read(Edge[] edges) implements Node {}

  /**
   * Bytes that lead to a node.
   *
   * @param first 0 to 255
   * @param last 0 to 255, inclusive
   * @param target number of the node after them
   */
  record Edge(int first, int last, int target) {}

  /**
   * Several ways to go on.
   *
   * @param targets numbers of nodes
   */
  record Split(int[] targets) implements Node {}

  /**
   * A rule comes, then something else.
   *
   * @param start number of the rule's first node
   * @param next number of the node after it
   */
  record Call(int start, int next) implements Node {}

  /**
   * The same comes several times, counted, then something else.
   *
   * @param body number of the first node of what is repeated; it reads at least one byte
   * @param min at least so often
   * @param max at most so often, at least once
   * @param next number of the node after it
   */
  record Count(int body, int min, int max, int next) implements Node {}
}
