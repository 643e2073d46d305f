package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import org.llamaj.convert.ImportanceMatrix;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes models smaller. */
@Command(
    name = "quantize",
    description = "Writes a model with fewer bits per weight.",
    footer = {
      "",
      "The mixtures are those of llama-quantize, and llama.cpp reads the files. --imatrix takes what",
      "'llama imatrix' has found out about the model: smaller errors where they matter."
    })
final class QuantizeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "IN", description = "A model in F32, F16 or BF16.")
  private Path in;

  @Parameters(index = "1", paramLabel = "OUT", description = "The GGUF file to write.")
  private Path out;

  @Parameters(index = "2", paramLabel = "TYPE", description = "One of ${COMPLETION-CANDIDATES}.")
  private FileType type;

  @Option(
      names = "--imatrix",
      paramLabel = "FILE",
      description = "Which columns of the weights matter most, by 'llama imatrix'.")
  private Path imatrix;

  @Option(names = "--pure", description = "Give no tensor more bits than the others.")
  private boolean pure;

  @Option(
      names = "--allow-requantize",
      description = "Take a model that is quantised already, and lose twice.")
  private boolean requantize;

  @Mixin private WritingOptions writing;

  @Override
  public Integer call() throws IOException {
    try (Checkpoint model = Checkpoint.open(in)) {
      Conversion conversion = Conversion.of(model).to(type);
      if (pure) {
        conversion.pure();
      }
      if (requantize) {
        conversion.requantize();
      }
      if (imatrix != null) {
        conversion.importance(ImportanceMatrix.read(imatrix));
      }
      writing.write(conversion, model, out, spec.commandLine());
    }
    return 0;
  }
}
