package org.llamaj.examples.features;

import org.llamaj.ChatSession;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** A conversation: what was said stays in the cache, each turn costs only its own tokens. */
public final class Villager {
  private Villager() {}

  /**
   * Talks with a blacksmith.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load();
        ChatSession chat =
            model
                .chat()
                .system("You are Bruni, a blacksmith. You sell a sword for 12 gold coins.")
                .temperature(0)
                .open()) {
      System.out.println(chat.send("Who are you?").text());
      System.out.println(chat.send("How much is a sword?").text());
    }
  }
}
