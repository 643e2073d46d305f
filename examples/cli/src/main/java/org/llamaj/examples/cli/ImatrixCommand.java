package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.llamaj.LlamaException;
import org.llamaj.convert.ImportanceMatrix;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Finds out which columns of a model's weights matter. */
@Command(
    name = "imatrix",
    description = "Reads a text with a model, and tells which columns of its weights matter.",
    footer = {
      "",
      "The file is for 'llama quantize --imatrix' and llama-quantize. A text of 50,000 tokens of the",
      "kind that the model will read is enough for most; experts that it never uses count evenly."
    })
final class ImatrixCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions modelOptions;

  @Option(
      names = {"-f", "--file"},
      required = true,
      paramLabel = "TEXT",
      description = "A file with the text to read, in UTF-8.")
  private Path text;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
  private Path out;

  @Option(
      names = "--chunk",
      paramLabel = "N",
      defaultValue = "512",
      description = "The text is read in pieces of so many tokens (default: ${DEFAULT-VALUE}).")
  private int chunk;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "The most pieces to read (default: all).")
  private Integer chunks;

  @Option(names = "--force", description = "Replace the file if there is one.")
  private boolean force;

  @Override
  public Integer call() throws IOException {
    OutputFile.requireFree(out, force);
    if (chunk < 2 || chunks != null && chunks < 1) {
      throw new LlamaException(
          "expected --chunk of at least 2 and --chunks of at least 1, found %s and %s"
              .formatted(chunk, chunks));
    }
    String name = String.valueOf(text.getFileName());
    ImportanceMatrix matrix;
    try (ProgressReport progress =
        new ProgressReport(out, spec.commandLine().getErr(), "%d pieces"::formatted)) {
      matrix =
          ImportanceMatrix.collect(
              modelOptions.builder().contextLength(chunk),
              TextFiles.read(text),
              name,
              chunk,
              chunks == null ? Integer.MAX_VALUE : chunks,
              progress::report);
    }
    matrix.write(out);
    spec.commandLine()
        .getOut()
        .printf(
            "%s: %d matrices, %d pieces of %d tokens of %s%n",
            out, matrix.size(), matrix.chunks(), chunk, name);
    return 0;
  }
}
