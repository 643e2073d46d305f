package org.llamaj.examples.features;

import org.llamaj.LlamaModel;
import org.llamaj.agent.Agent;
import org.llamaj.agent.AgentAnswer;
import org.llamaj.agent.SafetyCheck;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.grammar.Grammar;

/**
 * Looks at what the user says and at what the model says: with a predicate, or with a model that
 * judges. {@link SafetyCheck#llamaGuard} is such a check for Meta's Llama Guard models; the small
 * model of this repository is no judge, but can tell which of two numbers is smaller.
 */
public final class Guards {
  private Guards() {}

  /**
   * Asks a merchant.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load();
        Agent bruni =
            Agent.builder(model)
                .system(
                    "You are Bruni, a blacksmith. You sell a sword for 77 gold coins and a shield"
                        + " for 19 gold coins.")
                .chat(chat -> chat.temperature(0))
                .checkInput(talk -> !talk.messages().getLast().text().contains("dragon"))
                .checkOutput(cheaperThan(model, 50))
                .open()) {
      show(bruni.send("Who are you?"));
      show(bruni.send("Where does the dragon sleep?"));
      show(bruni.send("How much is a sword?"));
      show(bruni.send("How much is a shield?"));
    }
  }

  private static void show(AgentAnswer answer) {
    System.out.println((answer.outcome() + " " + answer.text()).strip());
  }

  /** Asks a model whether the price that an answer tells is less than a limit. */
  private static SafetyCheck cheaperThan(LlamaModel judge, int limit) {
    return conversation -> {
      String price = conversation.messages().getLast().text().replaceAll("\\D+", "");
      if (price.isEmpty()) {
        return true;
      }
      Grammar verdict =
          Grammar.choice(price + " is smaller than " + limit, limit + " is smaller than " + price);
      try (var chat = judge.chat().temperature(0).open()) {
        String question = "Which is smaller, " + price + " or " + limit + "?";
        return chat.send(question, verdict).text().startsWith(price);
      }
    };
  }
}
