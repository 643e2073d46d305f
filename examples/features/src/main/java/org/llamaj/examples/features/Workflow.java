package org.llamaj.examples.features;

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
   * Compares two numbers, then doubles the smaller one.
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
    }
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
