package org.llamaj.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Which tokens of a vocabulary may follow each state of a grammar. Thread-safe; made once for a
 * grammar and a model, and used by all generations.
 *
 * <p>Whether a token may come mostly depends on the top of a stack alone: the rule that is being
 * read, and where in it (Dong et al. 2024, XGrammar). So the vocabulary is looked through once for
 * each such place. Where a token leads out of the rule, its rest is tried with the calls below,
 * once for each place that the rule was called from.
 *
 * <p>Many places differ little: within free text, what may come is almost all the same wherever a
 * call has begun to be written. So a place is looked through only where it leads elsewhere than one
 * that is known.
 */
public final class TokenMasks {
  private static final int MOST_BYTES = 64 << 20;
  private static final int MOST_BASES = 8;

  private final TokenTrie trie;
  private final StateSpace space;
  private final int mostMasks;

  /** Whether the grammar counts repetitions. */
  private final boolean counted;

  private final Map<Frame, Local> locals = new HashMap<>();
  private final Map<Frame, Local> outermost = new HashMap<>();
  private final Deque<Local> bases = new ArrayDeque<>();
  private final Map<Place, TokenMask> places = new HashMap<>();
  private final Map<Union, TokenMask> unions = new HashMap<>();

  /**
   * What the top of a stack says: tokens that fit, and nodes of the trie from which on they lead
   * out, in ascending order.
   */
  private record Local(State start, TokenMask inside, int[] exits) {}

  /** The top of a stack, and the call below it. */
  private record Place(Frame top, Frame call) {}

  private record Union(List<TokenMask> masks, boolean complete) {}

  TokenMasks(Automaton automaton, TokenTrie trie) {
    this.trie = trie;
    space = new StateSpace(automaton);
    counted = IntStream.range(0, automaton.size()).anyMatch(i -> isCount(automaton.node(i)));
    mostMasks = Math.max(64, MOST_BYTES / (8 * words()));
  }

  /**
   * Begins to constrain a generation.
   *
   * @return for one generation
   */
  public TokenConstraint begin() {
    return new TokenConstraint(this);
  }

  TokenTrie trie() {
    return trie;
  }

  StateSpace space() {
    return space;
  }

  /** The tokens that may follow a state; those that end the text if it may. */
  TokenMask mask(State state) {
    TokenMask mask = state.mask();
    if (mask == null) {
      mask = find(state);
      state.setMask(mask);
    }
    return mask;
  }

  private synchronized TokenMask find(State state) {
    if (locals.size() + outermost.size() + places.size() + unions.size() > mostMasks) {
      locals.clear();
      outermost.clear();
      bases.clear();
      places.clear();
      unions.clear();
      space.forget();
    }
    List<TokenMask> masks = new ArrayList<>();
    for (Frame top : state.tops()) {
      masks.add(mask(top));
    }
    return masks.size() == 1 && !state.complete()
        ? masks.getFirst()
        : unions.computeIfAbsent(new Union(masks, state.complete()), this::unite);
  }

  private TokenMask unite(Union union) {
    long[] bits = new long[words()];
    for (TokenMask mask : union.masks) {
      for (int i = 0; i < bits.length; i++) {
        bits[i] |= mask.bits()[i];
      }
    }
    if (union.complete) {
      trie.addEnds(bits);
    }
    return TokenMask.of(bits);
  }

  private TokenMask mask(Frame top) {
    Frame call = top.parent();
    while (call != null && !isCall(call)) {
      call = call.parent();
    }
    Frame local = space.frame(top.node(), 0, local(top.parent(), call));
    Place place = new Place(local, call);
    TokenMask mask = places.get(place);
    if (mask == null) {
      mask =
          call == null // nothing to come back to
              ? outermost.computeIfAbsent(local, l -> findLocal(l, false)).inside
              : withExits(locals.computeIfAbsent(local, l -> findLocal(l, true)), call);
      places.put(place, mask);
    }
    return mask;
  }

  private static boolean isCount(Node node) {
    return node instanceof Node.Count;
  }

  private boolean isCall(Frame frame) {
    return space.automaton().node(frame.node()) instanceof Node.Call;
  }

  /** The counted repetitions above a call, with counts as far from their limits as they matter. */
  private Frame local(Frame frame, Frame call) {
    if (frame == call) {
      return Frame.OUTSIDE;
    }
    Node.Count node = (Node.Count) space.automaton().node(frame.node());
    return space.frame(
        frame.node(), nearCount(node, frame.count(), trie.longest()), local(frame.parent(), call));
  }

  /** A stack with counts as far from their limits as they matter for some bytes. */
  private Frame near(Frame frame, int bytes) {
    if (frame == null || frame == Frame.OUTSIDE) {
      return frame;
    }
    int count =
        space.automaton().node(frame.node()) instanceof Node.Count node
            ? nearCount(node, frame.count(), bytes)
            : frame.count();
    return space.frame(frame.node(), count, near(frame.parent(), bytes));
  }

  /** A count that behaves as the given one for as many repetitions as there are bytes. */
  private static int nearCount(Node.Count node, int count, int bytes) {
    int far = bytes + 1;
    if (count + (long) far < node.min()) {
      return node.min() - far - 1;
    }
    return count > node.min() && count + (long) far < node.max() ? node.min() : count;
  }

  private Local findLocal(Frame top, boolean withExits) {
    State start = space.only(top);
    Nodes exits = new Nodes();
    for (Local base : bases) {
      if (base.exits != null || !withExits) {
        Changes changes = new Changes(base, withExits ? exits : null);
        if (trie.isMostlyLike(start, base.start, changes)) {
          trie.walkChanges(start, base.start, changes);
          return new Local(start, TokenMask.of(changes.bits), withExits ? exits.sorted() : null);
        }
      }
    }
    long[] bits = new long[words()];
    trie.walk(
        -1,
        start,
        (node, state) -> {
          trie.addTokens(node, bits);
          if (withExits && state.escaped() && !trie.isLeaf(node)) {
            exits.add(node);
          }
        });
    Local local = new Local(start, TokenMask.of(bits), withExits ? exits.sorted() : null);
    bases.addFirst(local);
    if (bases.size() > MOST_BASES) {
      bases.removeLast();
    }
    return local;
  }

  /** Nodes of the trie in ascending order. */
  private static final class Nodes {
    private int[] nodes = new int[16];
    private int size;

    void add(int node) {
      if (size == nodes.length) {
        nodes = Arrays.copyOf(nodes, 2 * size);
      }
      nodes[size++] = node;
    }

    int[] sorted() {
      return Arrays.copyOf(nodes, size);
    }
  }

  /** Turns the tokens and exits of one place into those of another. */
  private final class Changes implements TokenTrie.Changes {
    private final long[] bits;
    private final Local base;
    private final Nodes exits;
    private int at;

    Changes(Local base, Nodes exits) {
      bits = base.inside.bits().clone();
      this.base = base;
      this.exits = exits;
    }

    @Override
    public boolean alike(State state, State other, int bytes) {
      return state == other
          || counted
              && state.tops().length == other.tops().length
              && state.complete() == other.complete()
              && state.escaped() == other.escaped()
              && areIn(state.tops(), other.tops(), bytes)
              && areIn(other.tops(), state.tops(), bytes);
    }

    private boolean areIn(Frame[] tops, Frame[] others, int bytes) {
      for (Frame top : tops) {
        boolean found = false;
        for (int i = 0; i < others.length && !found; i++) {
          found =
              others[i] == top
                  || others[i].node() == top.node()
                      && near(others[i].parent(), bytes) == near(top.parent(), bytes);
        }
        if (!found) {
          return false;
        }
      }
      return true;
    }

    @Override
    public void same(int from, int to) {
      if (exits != null) {
        passBy(from);
        for (; at < base.exits.length && base.exits[at] < to; at++) {
          exits.add(base.exits[at]);
        }
      }
    }

    private void passBy(int node) {
      while (at < base.exits.length && base.exits[at] < node) {
        at++;
      }
    }

    @Override
    public void reached(int node, State state) {
      trie.addTokens(node, bits);
      if (exits != null && state.escaped() && !trie.isLeaf(node)) {
        exits.add(node);
      }
    }

    @Override
    public void dead(int from, int to) {
      for (int node = from; node < to; node++) {
        trie.removeTokens(node, bits);
      }
    }
  }

  private TokenMask withExits(Local local, Frame call) {
    if (local.exits.length == 0 || call == null) {
      return local.inside;
    }
    State after = space.at(((Node.Call) space.automaton().node(call.node())).next(), call.parent());
    long[] bits = Arrays.copyOf(local.inside.bits(), words());
    State[] path = trie.newPath();
    for (int exit : local.exits) {
      trie.walk(exit, after, path, (node, _) -> trie.addTokens(node, bits));
    }
    return TokenMask.of(bits);
  }

  int words() {
    return (trie.vocabularySize() + 63) / 64;
  }
}
