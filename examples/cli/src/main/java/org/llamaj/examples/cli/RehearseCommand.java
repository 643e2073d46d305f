package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * Runs what users run first, and shows nothing: a JVM that watches itself meanwhile ({@code
 * -XX:AOTCacheOutput}) starts these commands in half the time afterwards. The launcher calls it.
 */
@Command(name = "rehearse", hidden = true, description = "Prepares faster starts.")
final class RehearseCommand implements Callable<Integer> {
  private static final String PROMPT = "Once upon a time there was a fox who lived by the river.";

  @Override
  public Integer call() throws IOException {
    run("demo", "--scenes");
    run("generate", "-n", "8", PROMPT);
    Path model = Files.createTempDirectory("llama").resolve("model.gguf");
    try {
      for (String type : List.of("Q8_0", "Q4_0", "Q4_K_M")) {
        run(
            "synth",
            "--preset",
            "tiny-dense",
            "--type",
            type,
            "--out",
            model.toString(),
            "--force");
        run("generate", "--model", model.toString(), "-n", "8", PROMPT);
      }
    } finally {
      Files.deleteIfExists(model);
      Files.delete(model.getParent());
    }
    return 0;
  }

  private static void run(String... arguments) {
    CommandLine line = Llama.commandLine(arguments);
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    line.setOut(nowhere).setErr(nowhere).execute(arguments);
  }
}
