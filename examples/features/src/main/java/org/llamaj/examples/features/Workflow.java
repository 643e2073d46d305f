package org.llamaj.examples.features;

import java.util.List;
import org.llamaj.ChatSession;
import org.llamaj.LlamaModel;
import org.llamaj.agent.Step;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.grammar.Grammar;

/** Steps put together: what comes out of the first decides which one comes next. */
public final class Workflow {
  private static final Grammar SMALLER = Grammar.regex("(19|77) is smaller than (19|77)\\.");

  private Workflow() {}

  /**
   * Compares two numbers and doubles the smaller one; doubles and halves at once; doubles again and
   * again.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      Step<String, String> compare = question -> ask(model, question, SMALLER);
      Step<String, String> twice = number -> ask(model, "What is the double of " + number + "?");
      Step<String, String> story = _ -> ask(model, "Tell me a story about a brave fox.");

      Step<String, String> whole =
          compare.then(
              Step.choose(answer -> answer.startsWith("19") ? _ -> twice.run("19") : story));
      System.out.println(whole.run("Which is smaller, 19 or 77?"));

      Step<String, String> half = number -> ask(model, "What is half of " + number + "?");
      System.out.println(Step.all(List.of(twice, half)).run("18"));

      Step<Integer, Integer> grow = n -> lastNumber(twice.run(n.toString()));
      System.out.println(Step.until((Integer n) -> n > 50, 9, grow).run(7));
    }
  }

  private static int lastNumber(String text) {
    return Integer.parseInt(text.replaceAll(".*?(\\d+)\\D*$", "$1"));
  }

  private static String ask(LlamaModel model, String question) {
    try (ChatSession chat = model.chat().temperature(0).open()) {
      return chat.send(question).text();
    }
  }

  private static String ask(LlamaModel model, String question, Grammar grammar) {
    try (ChatSession chat = model.chat().temperature(0).open()) {
      return chat.send(question, grammar).text();
    }
  }
}
