package org.llamaj.checkpoint.huggingface;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The head of a model's README.md, between lines of dashes: {@code license: llama3.2}. */
final class ModelCard {
  private static final int MAX_LINES = 400;

  private ModelCard() {}

  /** The licence's name; {@code license_name} tells what {@code license: other} is. */
  static Optional<String> licence(Path directory) {
    String licence = null;
    try (BufferedReader card = Files.newBufferedReader(directory.resolve("README.md"))) {
      if (!"---".equals(card.readLine())) return Optional.empty();
      for (int i = 0; i < MAX_LINES; i++) {
        String line = card.readLine();
        if (line == null || line.equals("---")) break;
        if (line.startsWith("license:")) licence = value(line);
        if (line.startsWith("license_name:")) return Optional.of(value(line));
      }
    } catch (IOException e) {
      return Optional.empty(); // A model need not have a card.
    }
    return Optional.ofNullable(licence);
  }

  private static String value(String line) {
    return line.substring(line.indexOf(':') + 1).strip().replaceAll("^[\"']|[\"']$", "");
  }
}
