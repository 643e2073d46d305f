package org.llamaj.examples.features;

import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** What is kept of texts that have ended takes no more memory than it may. */
public final class CacheBudget {
  private static final String GOODS =
      "in Ironvale. You sell a sword for 12 gold coins, a shield for 9 gold coins and a horseshoe"
          + " for 2 gold coins. Your shop is next to the old bridge. You heard that a dragon was"
          + " seen over the northern hills.";

  private CacheBudget() {}

  /**
   * Asks three villagers in turn; the memory is enough for all, for two of them, for none.
   *
   * @param args none
   */
  public static void main(String[] args) {
    for (int kibibytes : new int[] {10_000, 400, 0}) {
      System.out.println(kibibytes + " KiB");
      try (LlamaModel model = DemoModel.builder().prefixCache((long) kibibytes << 10).load()) {
        for (String name : "Bruni Elda Bruni Tom Bruni Elda".split(" ")) {
          ask(model, name);
        }
      }
    }
  }

  private static void ask(LlamaModel model, String name) {
    try (ChatSession chat =
        model
            .chat()
            .system("You are %s, a grumpy blacksmith %s".formatted(name, GOODS))
            .temperature(0)
            .readAhead(false)
            .open()) {
      Generation answer = chat.send("Who are you?");
      System.out.printf(
          "  %s: read %d of %d tokens%n",
          name, answer.timings().promptTokens(), answer.promptTokens());
    }
  }
}
