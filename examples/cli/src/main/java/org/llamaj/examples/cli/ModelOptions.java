package org.llamaj.examples.cli;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.llamaj.Backend;
import org.llamaj.LlamaModel;
import org.llamaj.MemoryPlan;
import org.llamaj.ModelBuilder;
import org.llamaj.Residency;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.examples.demomodel.PictureDemoModel;
import org.llamaj.kernel.CacheType;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of all commands that run a model. */
final class ModelOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description =
          "A model: a GGUF file (the first one if it is split), a directory as on Hugging Face or of"
              + " Meta's, or hf:owner/name[:QUANTISATION] to get it from the Hub. Without it, the"
              + " built-in demo model.")
  private String model;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "How many threads compute (default: one per physical core).")
  private Integer threads;

  @Option(
      names = "--kernels",
      paramLabel = "NAME",
      description = "The kernels to run on: scalar, vector, ... (default: the best that can run).")
  private String kernels;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description =
          "What to compute on: cpu (default), cuda, or auto for a device if there is one.")
  private String backend;

  @Option(
      names = "--gpu-layers",
      paramLabel = "N",
      description =
          "With --backend cuda: how many layers the device takes over (default: as many as fit).")
  private Integer gpuLayers;

  @Option(
      names = "--cpu-experts",
      description = "With --backend cuda: the experts of mixtures stay in main memory.")
  private boolean cpuExperts;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      converter = BinaryNumber.OfInteger.class,
      description =
          "The most tokens of a conversation, for example 8192, 128k or 10M (default: what the"
              + " model was trained for).")
  private Integer contextLength;

  @Option(
      names = {"--cache-type", "--kv"},
      paramLabel = "TYPE",
      description =
          "How keys and values are stored: ${COMPLETION-CANDIDATES}"
              + " (default: F16; F32 to write logits).")
  private CacheType cacheType;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      split = ",",
      description = "The most tokens of a forward pass (default: 512); bench takes several.")
  private List<Integer> batchSizes = List.of();

  @Option(
      names = "--kv-directory",
      paramLabel = "DIR",
      description = "Keep keys and values in a temporary file there instead of in memory.")
  private Path kvDirectory;

  @Option(
      names = "--pin-experts",
      paramLabel = "SIZE",
      converter = BinaryNumber.OfLong.class,
      description =
          "Lock the most used experts in memory, up to this size, for example 4G: for mixtures of"
              + " experts larger than memory.")
  private Long pinnedExperts;

  @Option(
      names = "--huge-pages",
      description = "Copy the weights into large pages at load: more memory, faster (Linux).")
  private boolean hugePages;

  @Option(
      names = "--weights",
      paramLabel = "TYPE",
      description =
          "Quantise a model in F32, F16 or BF16 in memory at load, as quantize does in a file: Q8_0,"
              + " Q4_0, Q4_K_M, ...")
  private FileType weights;

  /** Where the weights of the loaded model live. */
  Residency residency() {
    return hugePages ? Residency.HUGE_PAGES : Residency.MAPPED;
  }

  /** The sizes of forward passes that were asked for, if any. */
  List<Integer> batchSizes() {
    return batchSizes;
  }

  /** Loads the model; the caller closes it. */
  LlamaModel load() {
    return Relaunch.unlessSlow(builder().load());
  }

  /** Loads the model for the largest of the sizes of forward passes; the caller closes it. */
  LlamaModel loadForAllBatchSizes() {
    Integer largest = batchSizes.isEmpty() ? null : Collections.max(batchSizes);
    return Relaunch.unlessSlow(options(plainBuilder(), largest).load());
  }

  /** Loads the model with its image encoder, without a name the demo model that sees. */
  LlamaModel loadSeeing(Optional<Path> mmproj) {
    ModelBuilder builder =
        model == null ? options(PictureDemoModel.builder(), batchSize()) : builder();
    return Relaunch.unlessSlow(with(builder, mmproj.orElse(null), ModelBuilder::mmproj).load());
  }

  /** Loads the model with its image encoder; the caller closes it. */
  LlamaModel load(Optional<Path> mmproj) {
    return Relaunch.unlessSlow(with(builder(), mmproj.orElse(null), ModelBuilder::mmproj).load());
  }

  /** Loads the model, with a cache that rounds nothing if no type was asked for. */
  LlamaModel loadExact(Optional<Path> mmproj) {
    ModelBuilder builder = with(builder(), mmproj.orElse(null), ModelBuilder::mmproj);
    return Relaunch.unlessSlow(
        cacheType == null ? builder.cacheType(CacheType.F32).load() : builder.load());
  }

  /** Opens the file alone, which need not hold a model that can run; the caller closes it. */
  Checkpoint openFile() {
    return ModelFile.open(Optional.ofNullable(model));
  }

  /** Tells what memory the model needs. */
  MemoryPlan plan() {
    return builder().plan();
  }

  /** All options, for commands that add their own. */
  ModelBuilder builder() {
    return options(plainBuilder(), batchSize());
  }

  private ModelBuilder plainBuilder() {
    return model == null ? DemoModel.builder() : LlamaModel.builder(model);
  }

  /** The only one, or null. */
  private Integer batchSize() {
    if (batchSizes.size() > 1) {
      throw new ParameterException(
          spec.commandLine(),
          "--batch-size: expected one number, found %d: only bench takes several"
              .formatted(batchSizes.size()));
    }
    return batchSizes.isEmpty() ? null : batchSizes.getFirst();
  }

  private ModelBuilder options(ModelBuilder plain, Integer batchSize) {
    ModelBuilder builder = plain.onDownload(new DownloadBar());
    try {
      builder = with(builder, threads, ModelBuilder::threads);
      builder = with(builder, kernels, ModelBuilder::kernels);
      builder = with(builder, backend(), ModelBuilder::backend);
      builder = with(builder, contextLength, ModelBuilder::contextLength);
      builder = with(builder, cacheType, ModelBuilder::cacheType);
      builder = with(builder, batchSize, ModelBuilder::batchSize);
      builder = with(builder, kvDirectory, ModelBuilder::kvDirectory);
      builder = with(builder, weights, ModelBuilder::weights);
      builder = with(builder, pinnedExperts, ModelBuilder::pinExperts);
      return builder.residency(residency());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** Null if none was asked for. */
  private Backend backend() {
    if (backend == null || !backend.equals("cuda")) {
      if (gpuLayers != null || cpuExperts) {
        throw new IllegalArgumentException(
            "--gpu-layers and --cpu-experts say how a device is used: add --backend cuda");
      }
    }
    if (backend == null) {
      return null;
    }
    return switch (backend) {
      case "cpu" -> Backend.cpu();
      case "auto" -> Backend.auto();
      case "cuda" -> {
        Backend.Cuda cuda = Backend.cuda();
        cuda = gpuLayers == null ? cuda : cuda.gpuLayers(gpuLayers);
        yield cpuExperts ? cuda.keepExpertsOnCpu() : cuda;
      }
      default ->
          throw new IllegalArgumentException(
              "--backend: expected cpu, cuda or auto, found " + backend);
    };
  }

  private static <T> ModelBuilder with(
      ModelBuilder builder, T value, BiFunction<ModelBuilder, T, ModelBuilder> option) {
    return value == null ? builder : option.apply(builder, value);
  }
}
