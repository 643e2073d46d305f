package org.llamaj.examples.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Whoever talks to the program: a person at a terminal, or another program. */
final class Terminal {

  /** Lines of input. */
  interface Lines {
    /**
     * Reads a line.
     *
     * @param prompt shown to a person
     * @return null at the end of the input
     */
    String next(String prompt) throws IOException;
  }

  private Terminal() {}

  /** Whether both input and output are a terminal. */
  static boolean isInteractive() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  static Lines lines() {
    if (isInteractive()) {
      Console console = System.console();
      return prompt -> console.readLine("%s", prompt);
    }
    BufferedReader reader =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    return _ -> reader.readLine();
  }
}
