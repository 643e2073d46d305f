package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.llamaj.ChatBuilder;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.Picture;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** A conversation, line by line, until the input ends or {@code /bye}. */
final class ChatLoop {
  private static final String HELP =
      """
      /system TEXT  begin anew with another system message
      /reset        begin anew
      /image FILE   shows a picture with the next message
      /bye          end (also Ctrl-D)
      Ctrl-C ends a running answer. A line that ends with \\ goes on in the next.
      """;

  private final LlamaModel model;
  private final ChatBuilder chat;
  private final CommandLine command;
  private final Terminal.Lines lines;
  private final boolean interactive;
  private final PrintWriter out;
  private final Ansi ansi;

  private Optional<String> system;

  /** Shown with the next message. */
  private final List<Picture> pictures;

  private ChatSession session;

  /**
   * A loop, not yet begun.
   *
   * @param model looks at pictures
   * @param chat how to begin, without the system message
   * @param system the system message
   * @param pictures shown with the first message
   * @param command where output goes
   * @param interactive whether to show prompts and timings, and to go on after failures
   */
  ChatLoop(
      LlamaModel model,
      ChatBuilder chat,
      Optional<String> system,
      List<Picture> pictures,
      CommandLine command,
      Terminal.Lines lines,
      boolean interactive) {
    this.model = model;
    this.chat = chat;
    this.system = system;
    this.pictures = new ArrayList<>(pictures);
    this.command = command;
    this.lines = lines;
    this.interactive = interactive;
    out = command.getOut();
    ansi = command.getColorScheme().ansi();
  }

  /** Talks until the end. */
  void run() throws IOException {
    restart();
    try {
      for (String line = read(); line != null; line = read()) {
        if (line.startsWith("/")) {
          if (!obey(line.strip())) {
            return;
          }
        } else if (!line.isBlank()) {
          answer(line);
        }
      }
    } finally {
      session.close();
    }
  }

  private String read() throws IOException {
    StringBuilder text = new StringBuilder();
    String line = lines.next(ansi.string("@|bold > |@"));
    while (line != null && line.endsWith("\\")) {
      text.append(line, 0, line.length() - 1).append('\n');
      line = lines.next(ansi.string("@|bold . |@"));
    }
    if (line != null) {
      text.append(line);
    } else if (text.isEmpty()) {
      if (interactive) {
        out.println();
      }
      return null;
    }
    return text.toString();
  }

  /** Follows a command; false ends the loop. */
  private boolean obey(String line) {
    String[] words = line.split("\\s+", 2);
    switch (words[0]) {
      case "/bye", "/exit", "/quit" -> {
        return false;
      }
      case "/reset" -> restart();
      case "/system" -> {
        system = words.length == 2 ? Optional.of(words[1]) : Optional.empty();
        restart();
      }
      case "/image" -> show(words.length == 2 ? words[1] : "");
      case "/help" -> out.print(HELP);
      default -> out.println("Unknown command " + words[0] + "; /help lists them.");
    }
    out.flush();
    return true;
  }

  private void show(String file) {
    try {
      Picture picture = Picture.of(Path.of(file));
      model.image(picture); // so that what is no picture is refused now
      pictures.add(picture);
    } catch (LlamaException e) {
      if (!interactive) {
        throw e;
      }
      command.getErr().println(e.getMessage());
    }
  }

  private Message message(String text) {
    List<Content> parts = new ArrayList<>();
    pictures.forEach(picture -> parts.add(model.image(picture)));
    parts.add(new Content.Text(text));
    return Message.user(parts.toArray(Content[]::new));
  }

  private void restart() {
    if (session != null) {
      session.close();
    }
    session = system.map(chat::system).orElse(chat).open();
  }

  private void answer(String text) {
    try (GenerationStream stream = session.stream(message(text))) {
      pictures.clear();
      Generation answer = Streaming.print(stream, out);
      out.println();
      if (interactive) {
        Streaming.printTimings(answer, command);
      }
    } catch (LlamaException e) {
      if (!interactive) {
        throw e;
      }
      command.getErr().println(e.getMessage());
    }
  }
}
