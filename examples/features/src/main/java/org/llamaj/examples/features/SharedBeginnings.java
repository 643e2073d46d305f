package org.llamaj.examples.features;

import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** Conversations that begin alike share what has been read: nothing has to be asked for. */
public final class SharedBeginnings {
  private static final String PERSONA =
      "You are Bruni, a grumpy blacksmith in Ironvale. You sell a sword for 12 gold coins, a shield"
          + " for 9 gold coins and a horseshoe for 2 gold coins. Your forge is next to the old"
          + " bridge. You heard that a dragon was seen over the northern hills.";

  private SharedBeginnings() {}

  /**
   * Asks two questions in two conversations.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      ask(model, "Who are you?");
      ask(model, "Any rumours?");
    }
  }

  private static void ask(LlamaModel model, String question) {
    try (ChatSession chat = model.chat().system(PERSONA).temperature(0).open()) {
      Generation answer = chat.send(question);
      System.out.println(answer.text());
      System.out.printf(
          "(read %d of %d tokens)%n", answer.timings().promptTokens(), answer.promptTokens());
    }
  }
}
