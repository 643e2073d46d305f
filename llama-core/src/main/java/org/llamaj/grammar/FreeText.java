package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.llamaj.grammar.Expression.Characters;
import org.llamaj.grammar.Expression.Reference;

/**
 * Any text, until a trigger comes up in it: what follows a trigger has to be as the trigger says.
 * (The subset construction, over the places in all triggers where a text may be.)
 */
final class FreeText {
  private static final String WHITE = " \t\r\n";

  /**
   * A text that binds what follows it.
   *
   * @param pattern the text; a space in it stands for any amount of white space
   * @param anywhere whether it counts within a text, and not only at its beginning
   * @param then what has to follow
   */
  record Trigger(String pattern, boolean anywhere, Expression then) {}

  /** A place in a trigger: so much of it has come. */
  private record Place(Trigger trigger, int length) {
    /** Triggers are compared as objects: what follows them may be large. */
    @Override
    public boolean equals(Object other) {
      return other instanceof Place place && place.trigger == trigger && place.length == length;
    }

    @Override
    public int hashCode() {
      return 31 * trigger.pattern.hashCode() + length;
    }

    boolean isEnd() {
      return length == trigger.pattern.length();
    }

    int character() {
      return trigger.pattern.codePointAt(length);
    }

    boolean isWhite() {
      return character() == ' ';
    }

    Place next() {
      return new Place(trigger, length + Character.charCount(character()));
    }
  }

  private final String name;
  private final Expression mark;
  private final Map<String, Expression> rules;
  private final Set<Place> within = new HashSet<>();
  private final Map<Set<Place>, Reference> known = new HashMap<>();

  private FreeText(
      String name, List<Trigger> triggers, Expression mark, Map<String, Expression> rules) {
    this.name = name;
    this.mark = mark;
    this.rules = rules;
    for (Trigger trigger : triggers) {
      if (trigger.anywhere) {
        add(new Place(trigger, 0), within);
      }
    }
  }

  /**
   * Adds the rules of texts.
   *
   * @param name of the rules
   * @param triggers none begins like another one and goes on
   * @param mark what else may come at any place and ends the free text; null for nothing
   * @param rules receives the rules
   * @return the texts, the empty one included
   */
  static Reference add(
      String name, List<Trigger> triggers, Expression mark, Map<String, Expression> rules) {
    FreeText text = new FreeText(name, triggers, mark, rules);
    Set<Place> start = new HashSet<>();
    for (Trigger trigger : triggers) {
      add(new Place(trigger, 0), start);
    }
    return text.state(start);
  }

  private static void add(Place place, Set<Place> into) {
    into.add(place);
    if (!place.isEnd() && place.isWhite()) {
      add(place.next(), into);
    }
  }

  private Reference state(Set<Place> places) {
    Reference found = known.get(places);
    if (found != null) {
      return found;
    }
    Reference state = new Reference(name + " " + known.size());
    known.put(places, state);
    rules.put(state.rule(), Expression.EMPTY); // keeps its place
    Map<Set<Place>, CodePoints> targets = new LinkedHashMap<>();
    Set<Integer> characters = characters(places);
    for (int c : characters) {
      targets.merge(after(places, c), CodePoints.of(c), CodePoints::plus);
    }
    CodePoints others = CodePoints.anyOf("");
    for (int c : characters) {
      others = others.plus(CodePoints.of(c));
    }
    targets.merge(within, others.complement(), CodePoints::plus);

    List<Expression> alternatives = new ArrayList<>(List.of(Expression.EMPTY));
    targets.forEach(
        (target, set) ->
            alternatives.add(Expression.sequence(new Characters(set), following(target))));
    if (mark != null) {
      alternatives.add(mark);
    }
    rules.put(state.rule(), Expression.choice(alternatives));
    return state;
  }

  private Expression following(Set<Place> places) {
    for (Place place : places) {
      if (place.isEnd()) {
        return place.trigger.then;
      }
    }
    return state(places);
  }

  /** The characters with which some trigger goes on. */
  private static Set<Integer> characters(Set<Place> places) {
    Set<Integer> characters = new TreeSet<>();
    for (Place place : places) {
      if (place.isWhite()) {
        WHITE.chars().forEach(characters::add);
      } else {
        characters.add(place.character());
      }
    }
    return characters;
  }

  private Set<Place> after(Set<Place> places, int c) {
    Set<Place> next = new HashSet<>(within);
    for (Place place : places) {
      if (place.isWhite() && WHITE.indexOf(c) >= 0) {
        add(place, next);
      } else if (!place.isWhite() && place.character() == c) {
        add(place.next(), next);
      }
    }
    return next;
  }
}
