package org.llamaj.examples.features;

import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.Speculation;
import org.llamaj.examples.demomodel.DemoModel;

/** Guesses from the prompt, or of another model: the same text with fewer forward passes. */
public final class Guessing {
  private Guessing() {}

  /**
   * Asks for what stands in the prompt.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      Generation plain = answer(model, Speculation.none());
      Generation guessed = answer(model, Speculation.promptLookup());
      System.out.println(guessed.text());
      System.out.println("same text: " + guessed.text().equals(plain.text()));
      System.out.println("right guesses: " + (guessed.timings().rightGuesses() > 0));

      try (LlamaModel draft = DemoModel.builder().load()) { // a smaller model, usually
        Generation drafted = answer(model, Speculation.draft(draft));
        System.out.println("same text: " + drafted.text().equals(plain.text()));
        System.out.println("right guesses: " + (drafted.timings().rightGuesses() > 0));
      }
    }
  }

  private static Generation answer(LlamaModel model, Speculation speculation) {
    try (ChatSession chat =
        model
            .chat()
            .system(
                "You are Bruni, a blacksmith. You sell a sword for 12 gold coins, a shield for 9"
                    + " gold coins and a horseshoe for 2 gold coins.")
            .temperature(0)
            .speculation(speculation)
            .open()) {
      return chat.send("What do you sell?");
    }
  }
}
