package org.llamaj.examples.features;

import java.util.List;
import java.util.Map;
import org.llamaj.ChatSession;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.grammar.Grammar;
import org.llamaj.grammar.GrammarException;

/** Answers held to a grammar, a JSON Schema, or a few texts. */
public final class Grammars {
  private Grammars() {}

  /**
   * Asks for a price, a villager, and a colour.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      Grammar price =
          Grammar.gbnf(
              """
              root ::= "The " ware " costs " [1-9] [0-9]? " gold coins."
              ware ::= "sword" | "shield"
              """);
      System.out.println(ask(model, "How much is a sword?", price));

      Grammar villager =
          Grammar.jsonSchema(
              Map.of(
                  "type",
                  "object",
                  "properties",
                  Map.of("mood", Map.of("enum", List.of("kind", "grumpy", "shy")))));
      System.out.println(ask(model, "Describe yourself as JSON with mood.", villager));

      System.out.println(ask(model, "Who are you?", Grammar.choice("Bruni", "Lucy", "nobody")));

      try {
        Grammar.gbnf("root ::= \"yes\" | ware");
      } catch (GrammarException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  private static String ask(LlamaModel model, String question, Grammar grammar) {
    try (ChatSession chat =
        model
            .chat()
            .system("You are Bruni, a grumpy blacksmith. You sell a sword for 12 gold coins.")
            .temperature(0)
            .open()) {
      return chat.send(question, grammar).text();
    }
  }
}
