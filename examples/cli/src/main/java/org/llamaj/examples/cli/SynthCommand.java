package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.synth.ModelPreset;
import org.llamaj.checkpoint.synth.ModelShape;
import org.llamaj.checkpoint.synth.ModelSynthesizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Writes models of real sizes without real weights. */
@Command(
    name = "synth",
    description = "Writes a model file with the shape of a known model and random weights.",
    footer = {
      "",
      "Such a file is as fast and as large as the real one, and says nothing sensible: it is for",
      "benchmarks and tests. The same preset, type and seed give the same file.",
      "A model made with --effective-layers 2 says what one with --layers 2 says (if all layers are",
      "of one type, as with Q4_0): the one can draft for the other, to measure speculation."
    })
final class SynthCommand implements Callable<Integer> {

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

  @Option(
      names = "--layers",
      paramLabel = "N",
      description = "So many layers instead of the preset's.")
  private Integer layers;

  @Option(
      names = "--effective-layers",
      paramLabel = "N",
      description = "Layers after the first N are there and compute, but change nothing.")
  private Integer effectiveLayers;

  @Option(names = "--force", description = "Replace the file if there is one.")
  private boolean force;

  @Override
  public Integer call() throws IOException {
    ModelSynthesizer synthesizer = synthesizer();
    OutputFile.requireFree(out, force);
    OutputFile.requireSpace(out, synthesizer.bytes());
    try (ProgressReport progress = new ProgressReport(out, spec.commandLine().getErr())) {
      synthesizer.write(out, progress::report);
    }
    spec.commandLine()
        .getOut()
        .printf(
            "%s: %s, the shape of %s in %s with random weights%n",
            out, ByteSize.of(Files.size(out)), preset.shape().name(), type);
    return 0;
  }

  private ModelSynthesizer synthesizer() {
    try {
      ModelShape shape = layers == null ? preset.shape() : preset.shape().withLayers(layers);
      int effective = effectiveLayers == null ? shape.layers() : effectiveLayers;
      return new ModelSynthesizer(shape, type, seed, effective);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
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
