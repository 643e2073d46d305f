package org.llamaj.examples.features;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.llamaj.ChatSession;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** Answers with lists, maps, values that may be missing, and one of several records. */
public final class RichAnswers {
  private static final String ELDA =
      "Elda is the herbalist of Greenhollow. Elda carries a lantern and a rope."
          + " Elda is level 3. Elda has 12 gold. ";

  private RichAnswers() {}

  /** What somebody has. */
  record Person(String name, List<String> items, Optional<Integer> gold) {}

  /** What is counted. */
  enum Trait {
    level,
    gold
  }

  /** What somebody is. */
  record Sheet(String name, Map<Trait, Integer> traits) {}

  /** What is to be done: the name of the record comes first. */
  sealed interface Errand {
    /** In the shop. */
    record Buy(String item, int count) implements Errand {}

    /** In the village. */
    record Find(String name) implements Errand {}
  }

  /**
   * Asks for a person twice, for numbers, and for two errands.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      String describe = ELDA + "Describe Elda as JSON with ";
      System.out.println(ask(model, describe + "name, items, gold.", Person.class));
      System.out.println(ask(model, describe + "name, items.", Person.class));
      System.out.println(ask(model, describe + "name, level, gold.", Sheet.class));
      for (String text : List.of("item rope, count 3", "name Elda")) {
        switch (ask(model, "Write as JSON: " + text + ".", Errand.class)) {
          case Errand.Buy buy -> System.out.println(buy.count() + " of " + buy.item());
          case Errand.Find find -> System.out.println("where is " + find.name() + "?");
        }
      }
      System.out.println(model.prompt("The sword as JSON: ").temperature(0).as(Errand.Buy.class));
    }
  }

  private static <T> T ask(LlamaModel model, String text, Class<T> type) {
    try (ChatSession chat = model.chat().temperature(0).open()) {
      return chat.ask(text, type);
    }
  }
}
