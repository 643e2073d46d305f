package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.convert.Conversion;
import org.llamaj.LlamaException;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The options of all commands that write a model. */
final class WritingOptions {
  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "How many threads compute (default: all).")
  private Integer threads;

  @Option(
      names = "--split-max-size",
      paramLabel = "SIZE",
      converter = ByteSize.Converter.class,
      description = "Write several files, of at most this size each: 500M, 4G.")
  private Long splitMaxSize;

  @Option(names = "--force", description = "Replace the file if there is one.")
  private boolean force;

  /** Writes the model and tells what has become of it. */
  void write(Conversion conversion, Checkpoint model, Path out, CommandLine command)
      throws IOException {
    if (threads != null) {
      if (threads < 1) {
        throw new LlamaException("--threads: expected at least 1, found " + threads);
      }
      conversion.threads(threads);
    }
    if (splitMaxSize != null) {
      conversion.maxFileBytes(splitMaxSize);
    }
    OutputFile.requireFree(out, force);
    List<TensorDescription> tensors = conversion.tensors();
    long bytes = tensors.stream().mapToLong(TensorDescription::bytes).sum();
    OutputFile.requireSpace(out, bytes);
    List<Path> files;
    try (ProgressReport progress = new ProgressReport(out, command.getErr())) {
      files = conversion.onProgress(progress::report).write(out);
    }
    long weights = tensors.stream().mapToLong(tensor -> tensor.shape().elements()).sum();
    long written = 0;
    for (Path file : files) {
      written += Files.size(file);
    }
    command
        .getOut()
        .printf(
            Locale.ROOT,
            "%s%s: %s, %.2f bits per weight; it was %s%n",
            files.getFirst(),
            files.size() == 1 ? "" : " and %d more".formatted(files.size() - 1),
            ByteSize.of(written),
            8.0 * bytes / weights,
            ByteSize.of(model.totalBytes()));
  }
}
