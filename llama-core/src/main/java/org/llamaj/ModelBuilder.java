package org.llamaj;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Supplier;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.events.LoadEvent;
import org.llamaj.events.Recording;
import org.llamaj.hub.DownloadListener;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Workers;
import org.llamaj.loading.LoadedModel;
import org.llamaj.loading.LoadingOptions;
import org.llamaj.loading.MemoryPlanner;
import org.llamaj.spi.ProjectionListener;

/**
 * How to load a model: {@code LlamaModel.builder(path).contextLength(8192).load()}. Used by one
 * thread; may load several times.
 */
public final class ModelBuilder {
  /** Longer passes bring nothing, and their scratch memory would be absurd. */
  private static final int MOST_BATCH_TOKENS = 1 << 16;

  private final Function<DownloadListener, Checkpoint> source;
  private OptionalInt contextLength = OptionalInt.empty();
  private OptionalInt threads = OptionalInt.empty();
  private Optional<String> kernels = Optional.empty();
  private Backend backend = Backend.cpu();
  private CacheType cacheType = CacheType.F16;
  private Optional<Path> cacheDirectory = Optional.empty();
  private Residency residency = Residency.MAPPED;
  private Optional<FileType> weights = Optional.empty();
  private long pinnedExpertBytes;
  private Optional<Supplier<Checkpoint>> mediaEncoder = Optional.empty();
  private int batchSize = 512;
  private int promptChunk = 64;
  private long prefixCache = 256L << 20;
  private Optional<GenerationListener> generations = Optional.empty();
  private Optional<ProjectionListener> projections = Optional.empty();
  private int queueLimit = 1024;
  private LoadListener listener = _ -> {};
  private DownloadListener downloadListener = (_, _, _) -> {};

  ModelBuilder(Function<DownloadListener, Checkpoint> source) {
    this.source = source;
  }

  /**
   * Sets how many tokens a conversation can hold. Memory for the cache grows with the tokens that
   * are there, not with this limit.
   *
   * @param tokens at least 1; without it, what the model was trained for
   * @return this
   */
  public ModelBuilder contextLength(int tokens) {
    contextLength = OptionalInt.of(positive("contextLength", tokens));
    return this;
  }

  /**
   * Sets how many threads compute.
   *
   * @param count from 1 to {@value Workers#MOST_THREADS}; without it, one per physical core
   * @return this
   */
  public ModelBuilder threads(int count) {
    threads = OptionalInt.of(between("threads", count, Workers.MOST_THREADS));
    return this;
  }

  /**
   * Names the kernels to run on. Loading fails if they cannot run here.
   *
   * @param name {@code scalar}, {@code vector}, ...; without it, the best that can run
   * @return this
   */
  public ModelBuilder kernels(String name) {
    kernels = Optional.of(Objects.requireNonNull(name, "name"));
    return this;
  }

  /**
   * Sets what the model computes on. Without effect where {@link #kernels} names some.
   *
   * @param value {@link Backend#cpu} without it
   * @return this
   */
  public ModelBuilder backend(Backend value) {
    backend = Objects.requireNonNull(value, "value");
    return this;
  }

  /**
   * Sets how keys and values are stored.
   *
   * @param type F16 without it
   * @return this
   */
  public ModelBuilder cacheType(CacheType type) {
    cacheType = Objects.requireNonNull(type, "type");
    return this;
  }

  /**
   * Keeps keys and values in a file that is mapped into memory, so that long conversations may
   * outgrow it. The file is temporary and nobody else can read it; it goes when the model is
   * closed, also if the JVM is killed (on systems that cannot do that, when the next model uses the
   * directory).
   *
   * @param directory on a fast disk with room for the cache; created if it is missing
   * @return this
   */
  public ModelBuilder kvDirectory(Path directory) {
    cacheDirectory = Optional.of(Objects.requireNonNull(directory, "directory"));
    return this;
  }

  /**
   * Sets where the weights live.
   *
   * @param value {@link Residency#MAPPED} without it
   * @return this
   */
  public ModelBuilder residency(Residency value) {
    residency = Objects.requireNonNull(value, "value");
    return this;
  }

  /**
   * Quantises the weights at load, into private memory: a model in F32, F16 or BF16 then runs as it
   * would from a file of this mixture, without one being written. Takes longer than to load such a
   * file; what would not become smaller stays mapped.
   *
   * @param type the mixture; without it, weights stay as the files have them
   * @return this
   */
  public ModelBuilder weights(FileType type) {
    weights = Optional.of(Objects.requireNonNull(type, "type"));
    return this;
  }

  /**
   * Sets how much of a mixture of experts is locked in memory: the experts that are chosen most
   * often, found while the model runs. For models larger than memory; the system may ask for a
   * higher limit of locked memory ({@code ulimit -l}), and where it allows less, less is locked. No
   * effect on dense models, without native access, and on Windows.
   *
   * @param bytes at least 0; 0 without it
   * @return this
   */
  public ModelBuilder pinExperts(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "pinExperts: expected at least 0 bytes, found %d".formatted(bytes));
    }
    pinnedExpertBytes = bytes;
    return this;
  }

  /**
   * Gives the model eyes: the file with its encoder of pictures, for models that have it in a file
   * of its own. Needs llama-vision on the path.
   *
   * @param file a GGUF file, usually named {@code mmproj-...gguf}
   * @return this
   */
  public ModelBuilder mmproj(Path file) {
    Objects.requireNonNull(file, "file");
    mediaEncoder = Optional.of(() -> GgufReader.open(file));
    return this;
  }

  /**
   * Gives the model eyes from a class-path resource, which is copied into memory outside the heap.
   *
   * @param owner a class of the module or jar that holds the resource
   * @param resource its name, as in {@link Class#getResourceAsStream}
   * @return this
   */
  public ModelBuilder mmproj(Class<?> owner, String resource) {
    Objects.requireNonNull(owner, "owner");
    Objects.requireNonNull(resource, "resource");
    mediaEncoder = Optional.of(() -> LlamaModel.readResource(owner, resource));
    return this;
  }

  /**
   * Sets the most tokens of one forward pass. Prompts are read in chunks of this size; scratch
   * memory grows with it.
   *
   * @param tokens from 1 to 65536; 512 without it
   * @return this
   */
  public ModelBuilder batchSize(int tokens) {
    batchSize = between("batchSize", tokens, MOST_BATCH_TOKENS);
    return this;
  }

  /**
   * Sets how many tokens of prompts are read at once while other texts stream. Fewer make for a
   * steadier stream, more for a shorter wait for the first token.
   *
   * @param tokens at least 1; 64 without it
   * @return this
   */
  public ModelBuilder promptChunk(int tokens) {
    promptChunk = positive("promptChunk", tokens);
    return this;
  }

  /**
   * Sets how much memory may hold keys and values of texts that have ended. Prompts that begin like
   * them (with the same system message, the same document, the conversation so far) are then read
   * from where they differ. What open sequences hold does not count.
   *
   * @param bytes 0 to keep nothing; 256 MiB without it
   * @return this
   */
  public ModelBuilder prefixCache(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("prefixCache: expected 0 or more, found " + bytes);
    }
    prefixCache = bytes;
    return this;
  }

  /**
   * Sets who is told of generations that have ended.
   *
   * @param value called on the threads that read the texts
   * @return this
   */
  public ModelBuilder onGeneration(GenerationListener value) {
    generations = Optional.of(Objects.requireNonNull(value, "value"));
    return this;
  }

  /**
   * Sets who sees the activations that are multiplied with the model's weights, for statistics over
   * a text.
   *
   * @param value called in every forward pass
   * @return this
   */
  public ModelBuilder onProjection(ProjectionListener value) {
    projections = Optional.of(Objects.requireNonNull(value, "value"));
    return this;
  }

  /**
   * Sets how many prompts may wait to be read. Further ones are refused with an {@link
   * OverloadedException}.
   *
   * @param prompts at least 1; 1024 without it
   * @return this
   */
  public ModelBuilder queueLimit(int prompts) {
    queueLimit = positive("queueLimit", prompts);
    return this;
  }

  /**
   * Sets who is told how far loading has come.
   *
   * @param value called on the loading thread
   * @return this
   */
  public ModelBuilder onProgress(LoadListener value) {
    listener = Objects.requireNonNull(value, "value");
    return this;
  }

  /**
   * Sets who is told how far a download from the Hub has come, if there is one.
   *
   * @param value called on the loading thread
   * @return this
   */
  public ModelBuilder onDownload(DownloadListener value) {
    downloadListener = Objects.requireNonNull(value, "value");
    return this;
  }

  /**
   * Loads the model.
   *
   * @return to be closed by the caller
   * @throws LlamaException if the file is no model this library runs, the kernels asked for cannot
   *     run, or memory does not suffice
   */
  public LlamaModel load() {
    Optional<LoadEvent> event = Recording.begin(LoadEvent::new);
    try {
      LoadedModel loaded =
          LoadedModel.load(source.apply(downloadListener), options(), listener::onProgress);
      event.ifPresent(e -> commit(e, loaded));
      return new LlamaModel(loaded, promptChunk, queueLimit, generations);
    } catch (InternalError e) {
      throw new LlamaException(
          "the model's file was cut short, or its disk failed, while it was being loaded", e);
    }
  }

  private static void commit(LoadEvent event, LoadedModel loaded) {
    event.model = loaded.checkpoint().source();
    event.kernels = loaded.selection().provider().name();
    event.bytes = loaded.checkpoint().totalBytes();
    event.commit();
  }

  /**
   * Tells how much memory the model would need, from the header of its file: no weights are read.
   *
   * @return bytes of weights, of the cache of one conversation that fills the context, of
   *     activations
   * @throws LlamaException if the file is no model this library runs
   */
  public MemoryPlan plan() {
    try (Checkpoint checkpoint = source.apply(downloadListener)) {
      return MemoryPlanner.plan(checkpoint, options());
    }
  }

  private LoadingOptions options() {
    return new LoadingOptions(
        contextLength,
        threads,
        kernels,
        backend,
        cacheType,
        cacheDirectory,
        residency,
        weights,
        pinnedExpertBytes,
        mediaEncoder,
        batchSize,
        prefixCache,
        projections);
  }

  private static int positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "%s: expected at least 1, found %d".formatted(name, value));
    }
    return value;
  }

  private static int between(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(
          "%s: expected 1 to %d, found %d".formatted(name, most, value));
    }
    return value;
  }
}
