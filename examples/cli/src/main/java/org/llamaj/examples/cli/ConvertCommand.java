package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes GGUF files of models in other forms. */
@Command(
    name = "convert",
    description = "Writes a model as it is on Hugging Face to a GGUF file.",
    footer = {"", "Tokenizer and chat template go into the file. A vision tower does not."})
final class ConvertCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "DIR", description = "With config.json and safetensors files.")
  private Path in;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
  private Path out;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "BF16",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private FileType type;

  @Mixin private WritingOptions writing;

  @Override
  public Integer call() throws IOException {
    try (Checkpoint model = Checkpoint.open(in)) {
      writing.write(Conversion.of(model).to(type), model, out, spec.commandLine());
    }
    return 0;
  }
}
