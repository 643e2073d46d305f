package org.llamaj.examples.features;

import java.util.ArrayList;
import java.util.List;
import org.llamaj.ChatBuilder;
import org.llamaj.ChatSession;
import org.llamaj.ContextOverflow;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;

/** A conversation that outgrows its context: refused, or made shorter by a function of yours. */
public final class SummingUp {
  private SummingUp() {}

  /**
   * Tells a name and talks on for longer than the context is.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().contextLength(160).load()) {
      ChatBuilder bruni =
          model
              .chat()
              .system("You are Bruni, a blacksmith. You sell a sword for 12 gold coins.")
              .temperature(0)
              .maxTokens(40);
      try {
        talk(bruni);
      } catch (LlamaException e) {
        System.out.println(e.getMessage());
      }
      talk(bruni.overflow(new ContextOverflow.Shorten(SummingUp::shorter)));
    }
  }

  private static void talk(ChatBuilder bruni) {
    try (ChatSession chat = bruni.open()) {
      chat.send("My name is Alice.");
      for (int turn = 0; turn < 8; turn++) {
        chat.send("How much is a sword?");
      }
      System.out.println(chat.send("What is my name?").text());
    }
  }

  /** The rules, the introduction, and what is new; the rest in one sentence. */
  private static Conversation shorter(Conversation talk) {
    List<Message> all = talk.messages();
    int forgotten = (all.size() - 4) / 2;
    System.out.println("(" + forgotten + " turns are summed up)");
    List<Message> kept = new ArrayList<>();
    kept.add(Message.system(all.getFirst().text() + " You talked about the sword."));
    kept.addAll(all.subList(1, 3));
    kept.add(all.getLast());
    return talk.withMessages(kept);
  }
}
