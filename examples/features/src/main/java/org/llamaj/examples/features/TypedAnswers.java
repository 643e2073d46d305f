package org.llamaj.examples.features;

import org.llamaj.ChatSession;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.grammar.Grammar;
import org.llamaj.schema.Description;

/** Answers as Java values: the model cannot say anything else. */
public final class TypedAnswers {
  private TypedAnswers() {}

  /** Something a villager wants done. */
  record Quest(
      String title,
      String giver,
      @Description("what has to be done") String goal,
      @Description("gold coins") int reward) {}

  /** How a villager feels. */
  enum Mood {
    KIND,
    GRUMPY
  }

  /**
   * Asks for a quest, a mood and a number.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      try (ChatSession chat = model.chat().temperature(0).open()) {
        Quest quest =
            chat.ask("Create a quest as JSON with title, giver, goal, reward.", Quest.class);
        System.out.println(quest.giver() + " pays " + quest.reward() + ": " + quest.goal());
      }

      try (ChatSession chat =
          model.chat().system("You are Bruni, a grumpy blacksmith.").temperature(0).open()) {
        System.out.println(chat.ask("Describe yourself as JSON with mood.", Mood.class));
      }

      Grammar sum = Grammar.regex("9 times 8 is \\d{1,3}\\.");
      try (ChatSession chat = model.chat().temperature(0).open()) {
        System.out.println(chat.send("What is 9 times 8?", sum).text());
      }
    }
  }
}
