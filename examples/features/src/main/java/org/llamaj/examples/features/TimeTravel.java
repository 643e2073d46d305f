package org.llamaj.examples.features;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.llamaj.ChatBuilder;
import org.llamaj.ChatSession;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** A conversation forks, goes back, is edited, saved, and goes on in another model. */
public final class TimeTravel {
  private TimeTravel() {}

  /**
   * Talks with a blacksmith, in several pasts.
   *
   * @param args none
   * @throws IOException if the temporary file cannot be deleted
   */
  public static void main(String[] args) throws IOException {
    Path file =
        Path.of(System.getProperty("java.io.tmpdir"), "bruni-" + ProcessHandle.current().pid());
    try (LlamaModel model = DemoModel.builder().load();
        ChatSession chat =
            options(model)
                .system(
                    "You are Bruni, a blacksmith. You sell a sword for 12 gold coins and a shield"
                        + " for 9 gold coins.")
                .open()) {
      chat.send("Who are you?");
      try (ChatSession fork = chat.fork()) {
        System.out.println("fork:     " + fork.send("How much is a sword?").text());
      }
      System.out.println("chat:     " + chat.send("How much is a shield?").text());
      System.out.println("edited:   " + chat.edit(3, "What do you sell?").text());
      chat.rewind(3);
      System.out.println("rewound:  " + chat.send("How much is a sword?").text());
      chat.save(file);
    }
    try (LlamaModel another = DemoModel.builder().load();
        ChatSession restored = options(another).restore(file)) {
      System.out.println("restored: " + restored.conversation().messages().size() + " messages");
      System.out.println("          " + restored.send("How much is a shield?").text());
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static ChatBuilder options(LlamaModel model) {
    return model.chat().temperature(0);
  }
}
