package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.synth.ModelPreset;
import org.llamaj.checkpoint.synth.ModelSynthesizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Writes models of real sizes without real weights. */
@Command(
    name = "synth",
    description = "Writes a model file with the shape of a known model and random weights.",
    footer = {
      "",
      "Such a file is as fast and as large as the real one, and says nothing sensible: it is for",
      "benchmarks and tests. The same preset, type and seed give the same file."
    })
final class SynthCommand implements Callable<Integer> {

  /** How often the progress is told: at every tenth. */
  private static final int STEPS = 10;

  @Spec private CommandSpec spec;

  @Option(
      names = "--preset",
      required = true,
      paramLabel = "NAME",
      converter = PresetName.class,
      completionCandidates = PresetNames.class,
      description = "The shape: ${COMPLETION-CANDIDATES}.")
  private ModelPreset preset;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "Q4_K_M",
      description = "How weights are stored: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private FileType type;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
  private Path out;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of the random numbers (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--force", description = "Replace the file if there is one.")
  private boolean force;

  @Override
  public Integer call() throws IOException {
    ModelSynthesizer synthesizer = new ModelSynthesizer(preset.shape(), type, seed);
    requireFree(out, force);
    Path folder = out.toAbsolutePath().getParent();
    requireSpace(out, synthesizer.bytes(), Files.getFileStore(folder).getUsableSpace());
    AtomicBoolean interrupted = new AtomicBoolean();
    try (Interrupts.Registration _ = Interrupts.handle(() -> interrupted.set(true))) {
      synthesizer.write(out, progress(interrupted));
    }
    spec.commandLine()
        .getOut()
        .printf(
            "%s: %s, the shape of %s in %s with random weights%n",
            out, ByteSize.of(Files.size(out)), preset.shape().name(), type);
    return 0;
  }

  /** Refuses a place where no file can be, or where one would be lost. */
  private static void requireFree(Path file, boolean replace) {
    if (!Files.isDirectory(file.toAbsolutePath().getParent())) {
      throw new LlamaException("%s: there is no such folder".formatted(file));
    }
    if (Files.isDirectory(file)) {
      throw new LlamaException("%s: expected a file to write, found a folder".formatted(file));
    }
    if (Files.exists(file) && !replace) {
      throw new LlamaException("%s: there is such a file; --force replaces it".formatted(file));
    }
  }

  /** Refuses beforehand what would fail after minutes. */
  static void requireSpace(Path file, long needed, long usable) {
    if (usable < needed) {
      throw new LlamaException(
          "%s: expected %s of free space on its disk, found %s"
              .formatted(file, ByteSize.of(needed), ByteSize.of(usable)));
    }
  }

  /** The unfinished file is deleted by the writer that the exception passes. */
  private ModelSynthesizer.Progress progress(AtomicBoolean interrupted) {
    PrintWriter err = spec.commandLine().getErr();
    int[] told = {0};
    return (bytes, totalBytes) -> {
      if (interrupted.get()) {
        throw new LlamaException("%s: interrupted, nothing was written".formatted(out));
      }
      int step = Math.toIntExact(STEPS * bytes / totalBytes);
      if (step > told[0]) {
        told[0] = step;
        err.printf("%d%% of %s%n", 100 * step / STEPS, ByteSize.of(totalBytes));
      }
    };
  }

  private static final class PresetName implements ITypeConverter<ModelPreset> {
    @Override
    public ModelPreset convert(String name) {
      try {
        return ModelPreset.of(name);
      } catch (LlamaException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  private static final class PresetNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.of(ModelPreset.values()).map(preset -> preset.shape().name()).iterator();
    }
  }
}
