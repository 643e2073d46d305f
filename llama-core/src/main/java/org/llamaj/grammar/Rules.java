package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.llamaj.grammar.Expression.Characters;
import org.llamaj.grammar.Expression.Choice;
import org.llamaj.grammar.Expression.Control;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Reference;
import org.llamaj.grammar.Expression.Repeat;
import org.llamaj.grammar.Expression.Sequence;

/**
 * The rules of a grammar, checked and brought into a form that an automaton can run: nothing that
 * may be empty is repeated, so that no state returns to itself without a character.
 *
 * <p>Refused are rules that begin with themselves (left recursion), and rules that never end.
 */
final class Rules {
  /** More than any text has. */
  static final long NEVER = Long.MAX_VALUE / 4;

  /** Nested repetitions of what may be empty grow with each level. */
  private static final int MOST_REWRITTEN = 100_000;

  private final Map<String, Expression> given;
  private final Map<String, Expression> rules = new LinkedHashMap<>();
  private final Set<String> nullable = new HashSet<>();
  private final Set<String> plain = new LinkedHashSet<>();
  private final String root;
  private int rewritten;

  /**
   * @param given all rules; every reference has one
   * @param root where a text begins
   * @param place where a rule is defined, for messages
   */
  Rules(Map<String, Expression> given, String root, UnaryOperator<String> place) {
    this.given = given;
    this.root = root;
    findNullable();
    checkEnds(place);
    checkLeftRecursion(place);
    for (String rule : given.keySet()) {
      rules.put(rule, normal(given.get(rule)));
    }
    rules.values().removeIf(Objects::isNull);
    findPlain();
  }

  String root() {
    return root;
  }

  Set<String> names() {
    return rules.keySet();
  }

  Expression rule(String name) {
    return rules.get(name);
  }

  /**
   * The rules in which no recursion is to be found, nor in those they refer to, each after those it
   * refers to.
   */
  Set<String> plain() {
    return plain;
  }

  private void findNullable() {
    boolean more = true;
    while (more) {
      more = false;
      for (Map.Entry<String, Expression> rule : given.entrySet()) {
        if (!nullable.contains(rule.getKey()) && isNullable(rule.getValue())) {
          nullable.add(rule.getKey());
          more = true;
        }
      }
    }
  }

  private boolean isNullable(Expression expression) {
    return switch (expression) {
      case Literal _, Characters _, Control _ -> false;
      case Sequence s -> s.items().stream().allMatch(this::isNullable);
      case Choice c -> c.alternatives().stream().anyMatch(this::isNullable);
      case Repeat r -> r.min() == 0 || isNullable(r.item());
      case Reference r -> nullable.contains(r.rule());
    };
  }

  /** Each rule needs a text without the rule itself, by induction over ever more rules. */
  private void checkEnds(UnaryOperator<String> place) {
    Set<String> ending = new HashSet<>();
    boolean more = true;
    while (more) {
      more = false;
      for (Map.Entry<String, Expression> rule : given.entrySet()) {
        if (!ending.contains(rule.getKey()) && ends(rule.getValue(), ending)) {
          ending.add(rule.getKey());
          more = true;
        }
      }
    }
    for (String rule : given.keySet()) {
      if (!ending.contains(rule)) {
        throw new GrammarException(
            "%sexpected a rule with a way to end, found that %s always leads to itself again"
                .formatted(place.apply(rule), rule));
      }
    }
  }

  private static boolean ends(Expression expression, Set<String> ending) {
    return switch (expression) {
      case Literal _, Characters _, Control _ -> true;
      case Sequence s -> s.items().stream().allMatch(item -> ends(item, ending));
      case Choice c -> c.alternatives().stream().anyMatch(item -> ends(item, ending));
      case Repeat r -> r.min() == 0 || ends(r.item(), ending);
      case Reference r -> ending.contains(r.rule());
    };
  }

  private void checkLeftRecursion(UnaryOperator<String> place) {
    Map<String, Set<String>> firsts = new HashMap<>();
    given.forEach(
        (name, expression) -> {
          Set<String> first = new LinkedHashSet<>();
          firsts(expression, first);
          firsts.put(name, first);
        });
    Set<String> done = new HashSet<>();
    for (String start : given.keySet()) {
      List<String> cycle = cycle(start, firsts, done);
      if (cycle != null) {
        throw new GrammarException(
            "%sexpected rules that do not begin with themselves, found left recursion: %s"
                .formatted(place.apply(cycle.getFirst()), String.join(" -> ", cycle)));
      }
    }
  }

  /** Collects the rules an expression may begin with; true if it may be empty. */
  private boolean firsts(Expression expression, Set<String> into) {
    switch (expression) {
      case Literal _, Characters _, Control _ -> {}
      case Sequence s -> {
        for (Expression item : s.items()) {
          if (!firsts(item, into)) {
            return false;
          }
        }
      }
      case Choice c -> c.alternatives().forEach(item -> firsts(item, into));
      case Repeat r -> {
        if (r.max() != 0) {
          firsts(r.item(), into);
        }
      }
      case Reference r -> into.add(r.rule());
    }
    return isNullable(expression);
  }

  /** Walks in depth without recursion: grammars may have long chains of rules. */
  private static List<String> cycle(
      String start, Map<String, Set<String>> edges, Set<String> done) {
    List<String> path = new ArrayList<>();
    Set<String> onPath = new HashSet<>();
    List<Iterator<String>> pending = new ArrayList<>();
    if (done.contains(start)) {
      return null;
    }
    path.add(start);
    onPath.add(start);
    pending.add(edges.get(start).iterator());
    while (!path.isEmpty()) {
      if (!pending.getLast().hasNext()) {
        pending.removeLast();
        done.add(path.getLast());
        onPath.remove(path.removeLast());
        continue;
      }
      String next = pending.getLast().next();
      if (onPath.contains(next)) {
        List<String> cycle = new ArrayList<>(path.subList(path.indexOf(next), path.size()));
        cycle.add(next);
        return cycle;
      }
      if (!done.contains(next)) {
        path.add(next);
        onPath.add(next);
        pending.add(edges.get(next).iterator());
      }
    }
    return null;
  }

  /** The same language, with repetitions only of what is not empty. */
  private Expression normal(Expression expression) {
    return switch (expression) {
      case Literal _, Characters _, Control _, Reference _ -> expression;
      case Sequence s -> Expression.sequence(s.items().stream().map(this::normal).toList());
      case Choice c -> factored(c.alternatives().stream().map(this::normal).toList());
      case Repeat r -> {
        if (r.max() == 0) {
          yield Expression.EMPTY;
        }
        boolean maybeEmpty = isNullable(r.item());
        Expression item = maybeEmpty ? nonEmpty(r.item()) : normal(r.item());
        yield item == null ? Expression.EMPTY : new Repeat(item, maybeEmpty ? 0 : r.min(), r.max());
      }
    };
  }

  /** What an expression derives but for the empty text; null if that is nothing. */
  private Expression nonEmpty(Expression expression) {
    if (++rewritten > MOST_REWRITTEN) {
      throw new GrammarException(
          "expected repetitions of what is not empty, found too many nested ones of what may be");
    }
    if (!isNullable(expression)) {
      return normal(expression);
    }
    return switch (expression) {
      case Literal _, Characters _, Control _ -> expression;
      case Choice c -> {
        List<Expression> some = new ArrayList<>();
        for (Expression alternative : c.alternatives()) {
          addIfPresent(some, nonEmpty(alternative));
        }
        yield some.isEmpty() ? null : factored(some);
      }
      case Sequence s -> {
        // The first item that is not empty, and whatever follows.
        List<Expression> some = new ArrayList<>();
        for (int i = 0; i < s.items().size(); i++) {
          Expression first = nonEmpty(s.items().get(i));
          if (first != null) {
            List<Expression> items = new ArrayList<>(List.of(first));
            s.items().subList(i + 1, s.items().size()).forEach(item -> items.add(normal(item)));
            some.add(Expression.sequence(items));
          }
        }
        yield some.isEmpty() ? null : Expression.choice(some);
      }
      case Repeat r -> {
        Expression item = r.max() == 0 ? null : nonEmpty(r.item());
        yield item == null ? null : new Repeat(item, 1, r.max());
      }
      case Reference r -> {
        String name = r.rule() + " (not empty)";
        if (!rules.containsKey(name)) {
          rules.put(name, expression); // ends the recursion
          Expression some = nonEmpty(given.get(r.rule()));
          rules.put(name, some);
        }
        yield rules.get(name) == null ? null : new Reference(name);
      }
    };
  }

  private static void addIfPresent(List<Expression> list, Expression item) {
    if (item != null) {
      list.add(item);
    }
  }

  /**
   * Neighbours that begin alike share their beginning, so that the automaton need not follow all of
   * them at once.
   */
  private static Expression factored(List<Expression> alternatives) {
    List<Expression> result = new ArrayList<>();
    for (int i = 0; i < alternatives.size(); ) {
      Expression head = head(alternatives.get(i));
      int end = i + 1;
      while (head != null
          && end < alternatives.size()
          && head.equals(head(alternatives.get(end)))) {
        end++;
      }
      if (end == i + 1) {
        result.add(alternatives.get(i));
      } else {
        List<Expression> tails =
            alternatives.subList(i, end).stream().map(Rules::tail).distinct().toList();
        result.add(Expression.sequence(head, factored(tails)));
      }
      i = end;
    }
    return Expression.choice(result);
  }

  private static Expression head(Expression expression) {
    return expression instanceof Sequence s && !s.items().isEmpty()
        ? s.items().getFirst()
        : expression instanceof Reference ? expression : null;
  }

  private static Expression tail(Expression expression) {
    return expression instanceof Sequence s
        ? Expression.sequence(s.items().subList(1, s.items().size()))
        : Expression.EMPTY;
  }

  /** Rules that refer to nothing are plain, and then those that refer to plain ones only. */
  private void findPlain() {
    Map<String, Integer> open = new HashMap<>();
    Map<String, List<String>> users = new HashMap<>();
    List<String> found = new ArrayList<>();
    rules.forEach(
        (name, expression) -> {
          Set<String> used = new LinkedHashSet<>();
          references(expression, used);
          used.forEach(rule -> users.computeIfAbsent(rule, _ -> new ArrayList<>()).add(name));
          open.put(name, used.size());
          if (used.isEmpty()) {
            found.add(name);
          }
        });
    while (!found.isEmpty()) {
      String name = found.removeLast();
      plain.add(name);
      for (String user : users.getOrDefault(name, List.of())) {
        if (open.merge(user, -1, Integer::sum) == 0) {
          found.add(user);
        }
      }
    }
  }

  private static void references(Expression expression, Set<String> into) {
    switch (expression) {
      case Literal _, Characters _, Control _ -> {}
      case Sequence s -> s.items().forEach(item -> references(item, into));
      case Choice c -> c.alternatives().forEach(item -> references(item, into));
      case Repeat r -> references(r.item(), into);
      case Reference r -> into.add(r.rule());
    }
  }
}
