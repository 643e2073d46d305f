package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The states of one grammar that have been met so far. Thread-safe. When there are too many of
 * them, all are forgotten; those in use go on working.
 */
final class StateSpace {
  private static final int MOST_REMEMBERED = 200_000;
  private static final int MOST_STACKS = 20_000;

  private final Automaton automaton;
  private final Map<FrameKey, Frame> frames = new HashMap<>();
  private final Map<StateKey, State> states = new HashMap<>();
  private final State start;
  private int lastFrame;

  private record FrameKey(int node, int count, int parent) {}

  /** The ids of the tops, sorted, and the flags. */
  private record StateKey(int[] tops, boolean complete, boolean escaped) {
    @Override
    public boolean equals(Object other) {
      return other instanceof StateKey key
          && key.complete == complete
          && key.escaped == escaped
          && Arrays.equals(key.tops, tops);
    }

    @Override
    public int hashCode() {
      return 31 * Arrays.hashCode(tops) + (complete ? 2 : 0) + (escaped ? 1 : 0);
    }
  }

  StateSpace(Automaton automaton) {
    this.automaton = automaton;
    start = at(automaton.start(), null);
  }

  Automaton automaton() {
    return automaton;
  }

  /** Before the first byte. */
  State start() {
    return start;
  }

  /** Where no text goes on. */
  synchronized State dead() {
    return state(List.of(), false, false);
  }

  /** Where a text goes on from a node with the calls around it. */
  synchronized State at(int node, Frame parent) {
    Closure closure = new Closure();
    closure.add(node, parent);
    return closure.state();
  }

  /** The state whose only stack is this one. */
  synchronized State only(Frame top) {
    return state(List.of(top), false, false);
  }

  /** A frame, made once for all that ask for the same. */
  synchronized Frame frame(int node, int count, Frame parent) {
    FrameKey key = new FrameKey(node, count, parent == null ? -1 : parent.id());
    return frames.computeIfAbsent(key, _ -> new Frame(automaton, node, count, parent, ++lastFrame));
  }

  synchronized State step(State state, int byteClass) {
    if (frames.size() + states.size() > MOST_REMEMBERED) {
      forget();
    }
    int b = automaton.representative(byteClass);
    Closure closure = new Closure();
    for (Frame top : state.tops()) {
      for (Node.Edge edge : ((Node.Read) automaton.node(top.node())).edges()) {
        if (edge.first() <= b && b <= edge.last()) {
          closure.add(edge.target(), top.parent());
        }
      }
    }
    return closure.state();
  }

  /** Begins anew, to give memory back. */
  synchronized void forget() {
    frames.clear();
    states.clear();
  }

  private State state(List<Frame> tops, boolean complete, boolean escaped) {
    Frame[] sorted = tops.toArray(Frame[]::new);
    Arrays.sort(sorted, (a, b) -> Integer.compare(a.id(), b.id()));
    int[] ids = Arrays.stream(sorted).mapToInt(Frame::id).toArray();
    return states.computeIfAbsent(
        new StateKey(ids, complete, escaped),
        _ -> new State(this, sorted, complete, escaped, automaton.classCount()));
  }

  /** Follows calls, returns and choices from some nodes until bytes have to be read. */
  private final class Closure {
    private final Set<Place> seen = new HashSet<>();
    private final List<Place> pending = new ArrayList<>();
    private final List<Frame> tops = new ArrayList<>();
    private boolean complete;
    private boolean escaped;

    private record Place(int node, Frame parent) {}

    void add(int node, Frame parent) {
      Place place = new Place(node, parent);
      if (seen.add(place)) {
        pending.add(place);
        if (seen.size() > MOST_STACKS) {
          throw new GrammarException(
              "expected a grammar whose texts are read in few ways at once, found more than "
                  + MOST_STACKS);
        }
      }
    }

    State state() {
      while (!pending.isEmpty()) {
        Place place = pending.removeLast();
        follow(place.node, place.parent);
      }
      return StateSpace.this.state(tops, complete, escaped);
    }

    private void follow(int number, Frame parent) {
      switch (automaton.node(number)) {
        case Node.Read _ -> tops.add(frame(number, 0, parent));
        case Node.Split split -> {
          for (int target : split.targets()) {
            add(target, parent);
          }
        }
        case Node.Call call -> {
          // A call at the end of a rule returns to where that rule returns.
          boolean last = automaton.node(call.next()) instanceof Node.Return;
          add(call.start(), last ? parent : frame(number, 0, parent));
        }
        case Node.Count count -> {
          if (count.min() == 0) {
            add(count.next(), parent);
          }
          add(count.body(), frame(number, 0, parent));
        }
        case Node.Return _ -> leave(parent);
      }
    }

    private void leave(Frame frame) {
      if (frame == null) {
        complete = true;
      } else if (frame == Frame.OUTSIDE) {
        escaped = true;
      } else {
        switch (automaton.node(frame.node())) {
          case Node.Call call -> add(call.next(), frame.parent());
          case Node.Count count -> {
            int times = frame.count() + 1;
            if (times >= count.min()) {
              add(count.next(), frame.parent());
            }
            if (times < count.max()) {
              add(count.body(), frame(frame.node(), times, frame.parent()));
            }
          }
          default -> throw new IllegalStateException("no call: node " + frame.node());
        }
      }
    }
  }
}
