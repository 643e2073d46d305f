package org.llamaj.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Random grammars: the automaton against a plain matcher. */
class GrammarPropertiesTest {
  private static final String[] ALPHABET = {"a", "b", "é", "語", "🙂"};

  private final Random random = new Random(42);

  @Test
  void theAutomatonAcceptsWhatAPlainMatcherAccepts() {
    int accepted = 0;
    int grammars = 0;
    for (int round = 0; round < 3000; round++) {
      Map<String, Expression> rules = randomRules();
      Grammar grammar;
      try {
        grammar = Grammar.gbnf(write(rules));
      } catch (GrammarException e) {
        assertThat(e).hasMessageMatching("(?s).*(left recursion|a way to end).*");
        continue;
      }
      grammars++;
      for (int i = 0; i < 40; i++) {
        String text = randomText(random.nextInt(7));
        boolean expected = new Matcher(rules, text).matches();
        assertThat(grammar.accepts(text)).as("%s on '%s'", write(rules), text).isEqualTo(expected);
        accepted += expected ? 1 : 0;
        assertCompletable(grammar, text.substring(0, grammar.validPrefix(text)), rules);
      }
    }
    assertThat(grammars).isGreaterThan(1000);
    assertThat(accepted).isGreaterThan(3000);
  }

  /** Whatever may begin a text can be brought to an end. */
  private static void assertCompletable(
      Grammar grammar, String prefix, Map<String, Expression> rules) {
    StateSpace space = new StateSpace(grammar.automaton());
    State state = space.start().next(prefix.getBytes(StandardCharsets.UTF_8), 0);
    byte[] rest = TokenConstraint.shortestText(state, grammar.automaton());
    assertThat((long) rest.length).isEqualTo(state.shortest());
    String text = prefix + new String(rest, StandardCharsets.UTF_8);
    assertThat(grammar.accepts(text)).as("%s on '%s'", write(rules), text).isTrue();
  }

  private Map<String, Expression> randomRules() {
    Map<String, Expression> rules = new HashMap<>();
    for (String name : List.of("root", "x", "y")) {
      rules.put(name, randomExpression(3));
    }
    return rules;
  }

  private Expression randomExpression(int depth) {
    return switch (depth == 0 ? random.nextInt(3) : random.nextInt(9)) {
      case 0 -> Expression.literal(randomText(random.nextInt(3)));
      case 1 -> new Expression.Characters(CodePoints.anyOf("a" + randomText(1)));
      case 2 -> new Expression.Characters(CodePoints.anyOf(randomText(2)).complement());
      case 3, 4 -> Expression.sequence(several(depth));
      case 5 -> Expression.choice(several(depth));
      case 6 -> {
        int min = random.nextInt(3);
        int max = random.nextInt(4) == 0 ? -1 : min + random.nextInt(random.nextBoolean() ? 3 : 90);
        yield new Expression.Repeat(randomExpression(depth - 1), min, max);
      }
      default -> new Expression.Reference(List.of("x", "y", "root").get(random.nextInt(3)));
    };
  }

  private List<Expression> several(int depth) {
    List<Expression> list = new ArrayList<>();
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      list.add(randomExpression(depth - 1));
    }
    return list;
  }

  private String randomText(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(ALPHABET[random.nextInt(ALPHABET.length)]);
    }
    return text.toString();
  }

  static String write(Map<String, Expression> rules) {
    StringBuilder text = new StringBuilder();
    rules.forEach(
        (name, rule) -> text.append(name).append(" ::= ").append(write(rule)).append('\n'));
    return text.toString();
  }

  private static String write(Expression expression) {
    return switch (expression) {
      case Expression.Literal literal -> '"' + literal.text() + '"';
      case Expression.Characters c -> {
        StringBuilder text = new StringBuilder("[");
        for (CodePoints.Range range : c.set().ranges()) {
          text.append("\\U%08x-\\U%08x".formatted(range.first(), range.last()));
        }
        yield text.append(']').toString();
      }
      case Expression.Sequence s ->
          s.items().isEmpty()
              ? "\"\""
              : "("
                  + String.join(" ", s.items().stream().map(GrammarPropertiesTest::write).toList())
                  + ")";
      case Expression.Choice c ->
          "("
              + String.join(
                  " | ", c.alternatives().stream().map(GrammarPropertiesTest::write).toList())
              + ")";
      case Expression.Repeat r ->
          write(r.item()) + "{" + r.min() + "," + (r.max() < 0 ? "" : r.max()) + "}";
      case Expression.Reference r -> r.rule();
      case Expression.Control _ -> throw new AssertionError("no control tokens in GBNF");
    };
  }

  /** Tries all ways, with sets of positions. */
  private record Matcher(Map<String, Expression> rules, int[] text) {
    Matcher(Map<String, Expression> rules, String text) {
      this(rules, text.codePoints().toArray());
    }

    boolean matches() {
      return ends(rules.get("root"), 0).contains(text.length);
    }

    private Set<Integer> ends(Expression expression, int from) {
      Set<Integer> ends = new TreeSet<>();
      switch (expression) {
        case Expression.Literal literal -> {
          int[] wanted = literal.text().codePoints().toArray();
          int i = 0;
          while (i < wanted.length && from + i < text.length && text[from + i] == wanted[i]) {
            i++;
          }
          if (i == wanted.length) {
            ends.add(from + i);
          }
        }
        case Expression.Characters c -> {
          if (from < text.length && c.set().contains(text[from])) {
            ends.add(from + 1);
          }
        }
        case Expression.Sequence s -> {
          ends.add(from);
          for (Expression item : s.items()) {
            Set<Integer> next = new TreeSet<>();
            for (int at : ends) {
              next.addAll(ends(item, at));
            }
            ends = next;
          }
        }
        case Expression.Choice c -> {
          for (Expression alternative : c.alternatives()) {
            ends.addAll(ends(alternative, from));
          }
        }
        case Expression.Control _ -> throw new AssertionError("no control tokens in GBNF");
        case Expression.Repeat r -> {
          Set<Integer> current = new TreeSet<>(Set.of(from));
          Set<Set<Integer>> seen = new java.util.HashSet<>();
          for (int times = 0; ; times++) {
            if (times >= r.min()) {
              ends.addAll(current);
              // Sets that come again bring nothing new.
              if (times == r.max() || current.isEmpty() || !seen.add(current)) {
                break;
              }
            }
            Set<Integer> next = new TreeSet<>();
            for (int at : current) {
              next.addAll(ends(r.item(), at));
            }
            current = next;
          }
        }
        case Expression.Reference r -> ends.addAll(ends(rules.get(r.rule()), from));
      }
      return ends;
    }
  }
}
