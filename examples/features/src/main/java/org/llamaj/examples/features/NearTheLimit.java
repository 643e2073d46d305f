package org.llamaj.examples.features;

import java.util.Map;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.grammar.Grammar;

/** A text of a grammar is brought to its end before the token limit cuts it off, or is not. */
public final class NearTheLimit {
  private NearTheLimit() {}

  /**
   * Asks for more than there is room for.
   *
   * @param args none
   */
  public static void main(String[] args) {
    Map<String, Object> text = Map.of("type", "string");
    Grammar quest =
        Grammar.jsonSchema(
            Map.of("properties", Map.of("goal", text), "additionalProperties", false));
    try (LlamaModel model = DemoModel.builder().load()) {
      for (boolean completed : new boolean[] {false, true}) {
        try (ChatSession chat =
            model
                .chat()
                .options(options -> options.withCompletion(completed))
                .temperature(0)
                .maxTokens(10)
                .open()) {
          Generation answer = chat.send("Create a quest as JSON with goal.", quest);
          System.out.println(answer.finishReason() + " " + answer.text());
        }
      }
    }
  }
}
