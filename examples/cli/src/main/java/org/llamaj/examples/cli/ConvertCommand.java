package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import org.llamaj.checkpoint.AdapterCheckpoint;
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
    description = "Writes a model to a GGUF file, with adapters merged into it if wanted.",
    footer = {
      "",
      "Tokenizer and chat template go into the file. Llama 4's image encoder goes into a file of its",
      "own, --mmproj; that of Llama 3.2 Vision stays with the model."
    })
final class ConvertCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "DIR",
      description = "A directory as on Hugging Face or of Meta's, or a GGUF file.")
  private Path in;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
  private Path out;

  @Option(
      names = "--mmproj",
      paramLabel = "FILE",
      description = "Write the image encoder of a Llama 4 there, in F32, F16 or BF16.")
  private Path mmproj;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "BF16",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private FileType type;

  @Option(
      names = "--lora",
      paramLabel = "FILE[=SCALE]",
      converter = AdapterOptions.Converter.class,
      description =
          "Merge a LoRA adapter into the weights, by default as strong as it was trained. May be"
              + " repeated.")
  private List<AdapterOptions.ScaledFile> adapters = List.of();

  @Option(
      names = "--allow-requantize",
      description = "Take a model that is quantised already, and lose twice.")
  private boolean requantize;

  @Mixin private WritingOptions writing;

  @Override
  public Integer call() throws IOException {
    Deque<AdapterCheckpoint> open = new ArrayDeque<>();
    try (Checkpoint model = Checkpoint.open(in)) {
      if (mmproj != null) {
        Conversion.ofEncoder(model); // fails now rather than after the model was written
      }
      Conversion conversion = Conversion.of(model).to(type);
      if (requantize) {
        conversion.requantize();
      }
      for (AdapterOptions.ScaledFile adapter : adapters) {
        open.push(AdapterCheckpoint.open(adapter.file()));
        conversion.merge(open.peek(), adapter.scale());
      }
      writing.write(conversion, model, out, spec.commandLine());
      if (mmproj != null) {
        writing.write(Conversion.ofEncoder(model).to(type), model, mmproj, spec.commandLine());
      }
    } finally {
      open.forEach(AdapterCheckpoint::close);
    }
    return 0;
  }
}
