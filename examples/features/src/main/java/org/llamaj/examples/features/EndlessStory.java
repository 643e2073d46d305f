package org.llamaj.examples.features;

import org.llamaj.ChatSession;
import org.llamaj.ContextOverflow;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** A conversation that outgrows its context forgets its oldest turns, not its system message. */
public final class EndlessStory {
  private EndlessStory() {}

  /**
   * Talks for longer than the context is.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().contextLength(160).load();
        ChatSession chat =
            model
                .chat()
                .system("You are Bruni, a blacksmith. You sell a sword for 12 gold coins.")
                .temperature(0)
                .maxTokens(40)
                .overflow(ContextOverflow.slide())
                .open()) {
      for (int turn = 0; turn < 12; turn++) {
        chat.send("How much is a sword?");
      }
      System.out.println(chat.send("Who are you?").text());
      System.out.println(
          chat.conversation().messages().size() < 26 ? "some turns are forgotten" : "");
    }
  }
}
