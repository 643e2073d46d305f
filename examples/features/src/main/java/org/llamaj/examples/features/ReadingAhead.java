package org.llamaj.examples.features;

import java.util.concurrent.ExecutionException;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.tokenizer.chat.Message;

/** What is likely to be said next is read before it is said, so that the answer begins at once. */
public final class ReadingAhead {
  private ReadingAhead() {}

  /**
   * Talks with a blacksmith who knows more and more of what comes.
   *
   * @param args none
   * @throws InterruptedException if interrupted
   * @throws ExecutionException if reading fails
   */
  public static void main(String[] args) throws InterruptedException, ExecutionException {
    try (LlamaModel model = DemoModel.builder().load();
        ChatSession chat =
            model
                .chat()
                .system(
                    "You are Bruni, a blacksmith. You sell a sword for 12 gold coins and a shield"
                        + " for 9 gold coins.")
                .temperature(0)
                .open()) {
      ask(chat, "Who are you?");
      chat.prepare().get(); // a game goes on meanwhile; this program waits
      ask(chat, "How much is a sword?");
      chat.prepare(Message.user("How much is a shield?")).get();
      ask(chat, "How much is a shield?");
    }
  }

  private static void ask(ChatSession chat, String question) {
    Generation answer = chat.send(question);
    System.out.println(answer.text());
    System.out.printf(
        "(read %d of %d tokens)%n", answer.timings().promptTokens(), answer.promptTokens());
  }
}
