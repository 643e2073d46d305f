package org.llamaj.examples.features;

import org.llamaj.ChatSession;
import org.llamaj.LlamaModel;
import org.llamaj.agent.Step;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.grammar.Grammar;

/** Steps put together: the answer to the first decides which one comes next. */
public final class Workflow {
  private Workflow() {}

  /**
   * Tells a story, or its opposite.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      Step<String, String> answer = question -> ask(model, question);
      Grammar yesOrNo = Grammar.choice("Yes", "No");
      Step<String, String> larger =
          numbers -> {
            try (ChatSession chat = model.chat().temperature(0).open()) {
              return chat.send("Is " + numbers.replace(",", " larger than") + "?", yesOrNo).text();
            }
          };
      Step<String, String> whole =
          larger.then(
              Step.choose(
                  verdict ->
                      verdict.equals("Yes")
                          ? _ -> ask(model, "What is 7 plus 5?")
                          : answer.then(text -> "No: " + text)));
      System.out.println(whole.run("9, 4"));
    }
  }

  private static String ask(LlamaModel model, String question) {
    try (ChatSession chat = model.chat().temperature(0).open()) {
      return chat.send(question).text();
    }
  }
}
