package org.llamaj.examples.cli;

import java.io.PrintWriter;
import java.util.Locale;
import org.llamaj.Generation;
import org.llamaj.GenerationStream;
import org.llamaj.Timings;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** Shows text as it comes. */
final class Streaming {
  private Streaming() {}

  /** Prints a generation piece by piece; Ctrl-C ends it, and so does a reader that has gone. */
  static Generation print(GenerationStream stream, PrintWriter out) {
    try (Interrupts.Registration _ = Interrupts.handle(stream::cancel)) {
      return stream.readAll(
          piece -> {
            out.print(piece);
            if (out.checkError()) {
              stream.cancel();
            }
          });
    }
  }

  /** Prints what a generation took, to where it does not mix with the text. */
  static void printTimings(Generation generation, CommandLine command) {
    Timings timings = generation.timings();
    String line =
        String.format(
            Locale.ROOT,
            "[prompt: %d tokens, %.1f per second; reply: %d tokens, %.1f per second; %s]",
            timings.promptTokens(),
            timings.promptTokensPerSecond(),
            timings.generatedTokens(),
            timings.generatedTokensPerSecond(),
            reason(generation));
    Ansi ansi = command.getColorScheme().ansi();
    command.getErr().println(ansi.string("@|faint " + line + "|@"));
  }

  private static String reason(Generation generation) {
    return switch (generation.finishReason()) {
      case END -> "complete";
      case STOP_STRING -> "ended by a stop text";
      case MAX_TOKENS -> "cut at the token limit";
      case TIME_LIMIT -> "ended by the time limit";
      case CONTEXT_FULL -> "the context is full";
      case CANCELLED -> "cancelled";
    };
  }
}
