package org.llamaj.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.grammar.Expression.Characters;
import org.llamaj.grammar.Expression.Choice;
import org.llamaj.grammar.Expression.Control;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Reference;
import org.llamaj.grammar.Expression.Repeat;
import org.llamaj.grammar.Expression.Sequence;

/**
 * The rules of a grammar as a graph over bytes: a recursive transition network. Small rules without
 * recursion are written out where they are used; short repetitions are written out, long ones
 * counted.
 */
final class Automaton {
  private static final int MOST_NODES = 1_000_000;
  private static final int SMALL_RULE = 24;
  private static final int SHORT_REPETITION = 64;

  /** The node of every {@link Node.Return}. */
  private static final int RETURN = 0;

  private final Rules rules;

  /** The sizes of the rules that are written out where they are used. */
  private final Map<String, Long> smallSizes = new HashMap<>();

  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Integer> starts = new HashMap<>();
  private final List<String> pending = new ArrayList<>();

  /** Equal places become one, so that states that go on alike are the same. */
  private final Map<Node.Call, Integer> calls = new HashMap<>();

  private final Map<Tail, Integer> tails = new HashMap<>();

  /** The bytes of a character after its first one, and what follows it. */
  private record Tail(List<Utf8Ranges.Bytes> bytes, int next) {}

  private final int start;
  private final long[] shortest;
  private final int[] byteClasses = new int[256];
  private final int classCount;
  private final int[] representatives;

  Automaton(Rules rules) {
    this.rules = rules;
    for (String rule : rules.plain()) {
      long size = size(rules.rule(rule));
      if (size <= SMALL_RULE && bounded(rules.rule(rule))) {
        smallSizes.put(rule, size);
      }
    }
    nodes.add(new Node.Return());
    start = ruleStart(rules.root());
    while (!pending.isEmpty()) {
      String rule = pending.removeLast();
      int body = compile(rules.rule(rule), RETURN);
      nodes.set(starts.get(rule), new Node.Split(new int[] {body}));
    }
    shortest = shortest();
    classCount = findByteClasses();
    representatives = new int[classCount];
    for (int b = 0; b < 256; b++) {
      boolean plain = b >= 'a' && b <= 'z' || b == '0';
      if (representatives[byteClasses[b]] == 0 || plain) {
        representatives[byteClasses[b]] = b;
      }
    }
  }

  int start() {
    return start;
  }

  Node node(int number) {
    return nodes.get(number);
  }

  int size() {
    return nodes.size();
  }

  /** The fewest bytes from a node to the end of its rule or of what is repeated. */
  long shortest(int number) {
    return shortest[number];
  }

  /** Bytes of the same class lead to the same nodes everywhere. */
  int byteClass(int b) {
    return byteClasses[b];
  }

  int classCount() {
    return classCount;
  }

  /** A byte of a class. */
  int representative(int byteClass) {
    return representatives[byteClass];
  }

  private int add(Node node) {
    if (nodes.size() == MOST_NODES) {
      throw new GrammarException(
          "expected a grammar of at most a million nodes, found a larger one");
    }
    nodes.add(node);
    return nodes.size() - 1;
  }

  private int ruleStart(String rule) {
    return starts.computeIfAbsent(
        rule,
        name -> {
          pending.add(name);
          return add(new Node.Return()); // replaced when the rule is compiled
        });
  }

  /** Adds the nodes of an expression in front of those that follow it; gives the first one. */
  private int compile(Expression expression, int next) {
    return switch (expression) {
      case Literal literal -> bytes(literal.text().getBytes(StandardCharsets.UTF_8), next);
      case Control control ->
          bytes(Control.bytes(control.token().getBytes(StandardCharsets.UTF_8)), next);
      case Characters characters -> characters(characters.set(), next);
      case Sequence sequence -> {
        int first = next;
        for (int i = sequence.items().size() - 1; i >= 0; i--) {
          first = compile(sequence.items().get(i), first);
        }
        yield first;
      }
      case Choice choice -> choice(choice.alternatives(), next);
      case Repeat repeat -> repeat(repeat, next);
      case Reference reference -> {
        String rule = reference.rule();
        yield smallSizes.containsKey(rule)
            ? compile(rules.rule(rule), next)
            : call(new Node.Call(ruleStart(rule), next));
      }
    };
  }

  private int bytes(byte[] bytes, int next) {
    int first = next;
    for (int i = bytes.length - 1; i >= 0; i--) {
      int b = bytes[i] & 0xff;
      first = add(new Node.Read(new Node.Edge[] {new Node.Edge(b, b, first)}));
    }
    return first;
  }

  private int call(Node.Call call) {
    Integer known = calls.get(call);
    if (known == null) {
      known = add(call);
      calls.put(call, known);
    }
    return known;
  }

  private int characters(CodePoints set, int next) {
    List<Node.Edge> edges = new ArrayList<>();
    for (List<Utf8Ranges.Bytes> sequence : Utf8Ranges.of(set)) {
      edges.add(edge(sequence, next));
    }
    return add(new Node.Read(edges.toArray(Node.Edge[]::new)));
  }

  private Node.Edge edge(List<Utf8Ranges.Bytes> sequence, int next) {
    Utf8Ranges.Bytes first = sequence.getFirst();
    if (sequence.size() == 1) {
      return new Node.Edge(first.first(), first.last(), next);
    }
    Tail tail = new Tail(List.copyOf(sequence.subList(1, sequence.size())), next);
    Integer target = tails.get(tail);
    if (target == null) {
      target = add(new Node.Read(new Node.Edge[] {edge(tail.bytes(), next)}));
      tails.put(tail, target);
    }
    return new Node.Edge(first.first(), first.last(), target);
  }

  private int choice(List<Expression> alternatives, int next) {
    List<byte[]> literals = new ArrayList<>();
    List<Integer> targets = new ArrayList<>();
    for (Expression alternative : alternatives) {
      if (alternative instanceof Literal literal) {
        literals.add(literal.text().getBytes(StandardCharsets.UTF_8));
      } else {
        targets.add(compile(alternative, next));
      }
    }
    if (!literals.isEmpty()) {
      literals.sort(Arrays::compareUnsigned);
      targets.add(texts(literals, 0, next));
    }
    return split(targets);
  }

  /** Sorted texts that begin alike share their beginning. */
  private int texts(List<byte[]> texts, int depth, int next) {
    List<Integer> targets = new ArrayList<>();
    List<Node.Edge> edges = new ArrayList<>();
    for (int i = 0; i < texts.size(); ) {
      if (texts.get(i).length == depth) {
        targets.add(next);
        while (i < texts.size() && texts.get(i).length == depth) {
          i++;
        }
        continue;
      }
      int b = texts.get(i)[depth] & 0xff;
      int end = i;
      while (end < texts.size() && (texts.get(end)[depth] & 0xff) == b) {
        end++;
      }
      edges.add(new Node.Edge(b, b, texts(texts.subList(i, end), depth + 1, next)));
      i = end;
    }
    if (!edges.isEmpty()) {
      targets.add(add(new Node.Read(edges.toArray(Node.Edge[]::new))));
    }
    return split(targets);
  }

  private int split(List<Integer> targets) {
    return targets.size() == 1 ? targets.getFirst() : add(either(targets));
  }

  /** Goes on at one of several nodes. Those that read a byte become one. */
  private Node either(List<Integer> targets) {
    List<Node.Edge> edges = new ArrayList<>();
    List<Integer> others = new ArrayList<>();
    for (int target : targets) {
      if (nodes.get(target) instanceof Node.Read read) {
        edges.addAll(List.of(read.edges()));
      } else {
        others.add(target);
      }
    }
    Node.Read read = new Node.Read(edges.toArray(Node.Edge[]::new));
    if (others.isEmpty()) {
      return read;
    }
    if (!edges.isEmpty()) {
      others.add(add(read));
    }
    return new Node.Split(others.stream().mapToInt(Integer::intValue).toArray());
  }

  private int repeat(Repeat repeat, int next) {
    Expression item = repeat.item();
    long size = size(item);
    if (repeat.max() == Repeat.UNLIMITED) {
      int loop = add(new Node.Return());
      int body = compile(item, loop);
      nodes.set(loop, either(List.of(body, next)));
      return repeat.min() == 0 ? loop : repeat(new Repeat(item, repeat.min(), repeat.min()), loop);
    }
    if (size * repeat.max() > SHORT_REPETITION && repeat.max() > 1) {
      return add(new Node.Count(compile(item, RETURN), repeat.min(), repeat.max(), next));
    }
    int first = next;
    for (int i = repeat.max(); i > 0; i--) {
      int body = compile(item, first);
      first = i > repeat.min() ? split(List.of(body, next)) : body;
    }
    return first;
  }

  /** About how many nodes an expression takes. */
  private long size(Expression expression) {
    return switch (expression) {
      case Literal literal -> literal.text().length();
      case Control control -> 1 + control.token().length();
      case Characters characters -> characters.set().ranges().size();
      case Sequence sequence -> sequence.items().stream().mapToLong(this::size).sum();
      case Choice choice -> choice.alternatives().stream().mapToLong(this::size).sum();
      case Repeat repeat ->
          Math.min(MOST_NODES, size(repeat.item()) * Math.clamp(repeat.max(), 1, 1000));
      case Reference reference -> smallSizes.getOrDefault(reference.rule(), (long) SMALL_RULE);
    };
  }

  private boolean bounded(Expression expression) {
    return switch (expression) {
      case Literal _, Characters _, Control _ -> true;
      case Sequence sequence -> sequence.items().stream().allMatch(this::bounded);
      case Choice choice -> choice.alternatives().stream().allMatch(this::bounded);
      case Repeat repeat -> repeat.max() != Repeat.UNLIMITED && bounded(repeat.item());
      case Reference reference -> smallSizes.containsKey(reference.rule());
    };
  }

  /** Relaxes until nothing changes; most nodes lead to ones with lower numbers. */
  private long[] shortest() {
    long[] lengths = new long[nodes.size()];
    Arrays.fill(lengths, Rules.NEVER);
    boolean more = true;
    while (more) {
      more = false;
      for (int i = 0; i < lengths.length; i++) {
        long length = shortest(nodes.get(i), lengths);
        if (length < lengths[i]) {
          lengths[i] = length;
          more = true;
        }
      }
    }
    return lengths;
  }

  private static long shortest(Node node, long[] lengths) {
    return switch (node) {
      case Node.Return _ -> 0;
      case Node.Read read -> {
        long least = Rules.NEVER;
        for (Node.Edge edge : read.edges()) {
          least = Math.min(least, lengths[edge.target()]);
        }
        yield 1 + least;
      }
      case Node.Split split -> {
        long least = Rules.NEVER;
        for (int target : split.targets()) {
          least = Math.min(least, lengths[target]);
        }
        yield least;
      }
      case Node.Call call -> Math.min(Rules.NEVER, lengths[call.start()] + lengths[call.next()]);
      case Node.Count count -> times(count.min(), lengths[count.body()]) + lengths[count.next()];
    };
  }

  /** A length several times, without overflow. */
  static long times(int count, long length) {
    return length >= Rules.NEVER || count > 0 && length > Rules.NEVER / count
        ? count == 0 ? 0 : Rules.NEVER
        : count * length;
  }

  private int findByteClasses() {
    // A class ends where an edge of some node begins or ends.
    boolean[] starts = new boolean[257];
    for (Node node : nodes) {
      if (node instanceof Node.Read read) {
        for (Node.Edge edge : read.edges()) {
          starts[edge.first()] = true;
          starts[edge.last() + 1] = true;
        }
      }
    }
    int current = 0;
    for (int b = 0; b < 256; b++) {
      if (b > 0 && starts[b]) {
        current++;
      }
      byteClasses[b] = current;
    }
    return current + 1;
  }
}
