package org.llamaj.loading;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.DoubleConsumer;
import java.util.function.LongFunction;
import org.llamaj.LlamaException;
import org.llamaj.Residency;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.Workers;
import org.llamaj.spi.FeedForwardContext;
import org.llamaj.spi.FeedForwards;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.PageFile;
import org.llamaj.transformer.Transformer;
import org.llamaj.transformer.TransformerBuilder;
import org.llamaj.transformer.WeightSource;

/**
 * A checkpoint made to run: everything that a model owns and that ends with it.
 *
 * @param checkpoint the mapped file
 * @param tokenizer as the file describes it
 * @param transformer bound to the file's tensors
 * @param residency where the weights live
 * @param quantised the mixture that weights were quantised to at load, if they were
 * @param derived the tensors that had to be made where they were not quantised
 * @param experts the networks of layers with experts, if the model has any
 * @param media the encoder of pictures, if the model has one
 * @param selection which kernels were chosen and why
 * @param kernels the arithmetic
 * @param workers the threads
 * @param cacheMemory memory of keys and values
 * @param arena memory of activations
 */
public record LoadedModel(
    Checkpoint checkpoint,
    Tokenizer tokenizer,
    Transformer transformer,
    Residency residency,
    Optional<FileType> quantised,
    List<DerivedTensor> derived,
    Optional<FeedForwards> experts,
    Optional<Media> media,
    KernelSelection selection,
    Kernels kernels,
    Workers workers,
    PageMemory cacheMemory,
    Arena arena)
    implements AutoCloseable {

  /**
   * Binds a checkpoint. It belongs to the model from now on, and is closed if this fails.
   *
   * @param checkpoint an open checkpoint
   * @param options how to load
   * @param progress told the fraction done, from 0 to 1
   * @return the running model
   * @throws org.llamaj.LlamaException if the checkpoint is no model this library runs, or memory
   *     does not suffice
   */
  public static LoadedModel load(
      Checkpoint checkpoint, LoadingOptions options, DoubleConsumer progress) {
    // Vocabularies are long: they are read while the weights are bound.
    FutureTask<Tokenizer> tokenizer = new FutureTask<>(checkpoint::tokenizer);
    Thread.ofPlatform().daemon().name("llamaj-tokenizer").start(tokenizer);
    try {
      Configuration configuration = ConfigurationReader.read(checkpoint);
      KernelSelection selection = KernelSelection.select(options.kernels(), options.backend());
      return bind(checkpoint, configuration, tokenizer, selection, options, progress);
    } catch (RuntimeException | Error e) {
      // What is being read cannot be closed.
      awaitUninterruptibly(tokenizer);
      checkpoint.close();
      if (e instanceof OutOfMemoryError) {
        throw new LlamaException(
            "%s: no memory for it (%s): take a smaller batch size, a shorter context or fewer threads, leave weights mapped, or give the JVM more (-Xmx)"
                .formatted(checkpoint.source(), e.getMessage()),
            e);
      }
      throw e;
    }
  }

  private static LoadedModel bind(
      Checkpoint checkpoint,
      Configuration configuration,
      Future<Tokenizer> tokenizer,
      KernelSelection selection,
      LoadingOptions options,
      DoubleConsumer progress) {
    Arena arena = Arena.ofShared();
    Workers workers = new Workers(options.threads().orElseGet(PhysicalCores::count));
    Kernels kernels = null;
    Optional<Media> media = Optional.empty();
    PageMemory cacheMemory = PageMemory.of(arena);
    try {
      kernels = selection.provider().open(workers, OffloadPlan.of(configuration, options));
      if (options.projections().isPresent()) {
        kernels = new ObservedKernels(kernels, options.projections().get());
      }
      cacheMemory = cacheMemory(options, kernels, arena);
      boolean usesParts = usesParts(selection, options);
      WeightSource weights = weights(checkpoint, options, usesParts, arena, workers, progress);
      Optional<FeedForwards> experts = experts(configuration, weights, kernels, options, arena);
      Transformer transformer =
          new TransformerBuilder(configuration, weights, kernels, arena, options.batchSize())
              .keepPrefixes(options.prefixCache())
              .beforeEachPass(
                  options.residency() == Residency.MAPPED ? checkpoint::requireWhole : () -> {})
              .build(
                  options.contextLength().orElse(configuration.contextLength()),
                  options.cacheType(),
                  cacheMemory,
                  experts,
                  layer -> onLayer(layer, configuration, options, progress));
      media = media(checkpoint, configuration, selection, options, workers);
      return new LoadedModel(
          checkpoint,
          tokenizer(checkpoint, configuration, tokenizer),
          transformer,
          options.residency(),
          options.weights(),
          derived(checkpoint, usesParts),
          experts,
          media,
          selection,
          kernels,
          workers,
          cacheMemory,
          arena);
    } catch (RuntimeException | Error e) {
      cacheMemory.close();
      if (kernels != null) {
        kernels.close();
      }
      workers.close();
      arena.close();
      if (e instanceof LlamaException failure) {
        throw naming(checkpoint, failure);
      }
      throw e;
    }
  }

  /** From a file of its own, or from the model's. */
  private static Optional<Media> media(
      Checkpoint checkpoint,
      Configuration configuration,
      KernelSelection selection,
      LoadingOptions options,
      Workers workers) {
    if (options.mediaEncoder().isEmpty() && !Media.isIn(checkpoint)) {
      return Optional.empty();
    }
    boolean own = options.mediaEncoder().isPresent();
    Checkpoint weights = own ? options.mediaEncoder().get().get() : checkpoint;
    // Other kernels than the transformer's: pictures are encoded while it runs. Not on a device,
    // where the encoder's activations would travel for each operation.
    KernelProvider provider =
        selection.provider().isDevice() ? KernelSelection.ofProcessor() : selection.provider();
    Kernels kernels = provider.open(workers);
    try {
      return Optional.of(Media.open(weights, own, configuration.dim(), kernels, workers));
    } catch (RuntimeException | Error e) {
      kernels.close();
      if (own) {
        weights.close();
      }
      throw e;
    }
  }

  private static Optional<FeedForwards> experts(
      Configuration configuration,
      WeightSource weights,
      Kernels kernels,
      LoadingOptions options,
      Arena arena) {
    return ExpertsModule.find(configuration)
        .map(
            module ->
                module.open(
                    new FeedForwardContext(
                        configuration,
                        weights,
                        kernels,
                        options.batchSize(),
                        options.pinnedExpertBytes(),
                        arena)));
  }

  private static PageMemory cacheMemory(LoadingOptions options, Kernels kernels, Arena arena) {
    return options
        .cacheDirectory()
        .<PageMemory>map(directory -> PageFile.create(directory, arena))
        .orElseGet(() -> kernels.pageMemory(HugePageCache.of(arena)));
  }

  /** Binding takes no time worth reporting after a copy. */
  private static void onLayer(
      int layer, Configuration configuration, LoadingOptions options, DoubleConsumer progress) {
    if (options.residency() == Residency.MAPPED && options.weights().isEmpty()) {
      progress.accept((layer + 1.0) / configuration.layers());
    }
  }

  /**
   * Whether matrices in several parts are used so. A device copies weights anyway, huge pages do,
   * and who observes projections wants to see whole ones.
   */
  private static boolean usesParts(KernelSelection selection, LoadingOptions options) {
    return !selection.provider().isDevice()
        && options.residency() == Residency.MAPPED
        && options.projections().isEmpty();
  }

  private static List<DerivedTensor> derived(Checkpoint checkpoint, boolean usesParts) {
    return checkpoint.derived().stream()
        .filter(tensor -> !usesParts || tensor.parts().isEmpty())
        .toList();
  }

  private static WeightSource weights(
      Checkpoint checkpoint,
      LoadingOptions options,
      boolean usesParts,
      Arena arena,
      Workers workers,
      DoubleConsumer progress) {
    if (options.weights().isPresent()) {
      return quantised(checkpoint, options, usesParts, arena, workers, progress);
    }
    WeightSource stored =
        switch (options.residency()) {
          case MAPPED -> checkpoint::find;
          case HUGE_PAGES -> new HugePageWeights(checkpoint, arena, workers, progress);
        };
    return withDerived(checkpoint, stored, arena, usesParts);
  }

  private static WeightSource withDerived(
      Checkpoint checkpoint, WeightSource stored, Arena arena, boolean usesParts) {
    return checkpoint.derived().isEmpty()
        ? stored
        : new DerivedWeights(checkpoint, stored, arena, usesParts);
  }

  private static WeightSource quantised(
      Checkpoint checkpoint,
      LoadingOptions options,
      boolean usesParts,
      Arena arena,
      Workers workers,
      DoubleConsumer progress) {
    LongFunction<MemorySegment> allocator =
        switch (options.residency()) {
          case MAPPED -> bytes -> arena.allocate(bytes, 64);
          case HUGE_PAGES -> bytes -> HugePages.allocate(bytes, arena);
        };
    WeightSource stored = withDerived(checkpoint, checkpoint::find, arena, usesParts);
    return new QuantisedWeights(
        checkpoint, options.weights().get(), stored, allocator, workers, progress);
  }

  /**
   * The tensors as they are in memory now, in the order of the file.
   *
   * @return with the types that kernels read
   */
  public List<TensorDescription> weights() {
    return QuantisedWeights.all(checkpoint, quantised);
  }

  /** What binding has to complain about names the tensor; the file is known here. */
  private static LlamaException naming(Checkpoint checkpoint, LlamaException failure) {
    if (failure.getMessage().startsWith(checkpoint.source() + ": ")) {
      return failure;
    }
    return new CheckpointException(checkpoint.source() + ": " + failure.getMessage(), failure);
  }

  private static Tokenizer tokenizer(
      Checkpoint checkpoint, Configuration configuration, Future<Tokenizer> read) {
    awaitUninterruptibly(read);
    if (read.state() == Future.State.FAILED) {
      throw switch (read.exceptionNow()) {
        case Error failure -> throw failure;
        case RuntimeException failure -> failure;
        case Throwable failure -> new LlamaException("the vocabulary cannot be read", failure);
      };
    }
    Tokenizer tokenizer = read.resultNow();
    if (tokenizer.vocabularySize() != configuration.embeddingRows()) {
      throw new CheckpointException(
          "%s: expected as many tokens as token_embd.weight has rows, %d, found %d"
              .formatted(
                  checkpoint.source(), configuration.embeddingRows(), tokenizer.vocabularySize()));
    }
    return tokenizer;
  }

  private static void awaitUninterruptibly(Future<?> task) {
    boolean interrupted = false;
    while (!task.isDone()) {
      try {
        task.get();
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        break;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Ends the current forward pass at its next layer, then releases everything: threads, scratch
   * memory, cache, the mapping of the file.
   */
  @Override
  public void close() {
    transformer.close();
    media.ifPresent(Media::close);
    cacheMemory.close();
    kernels.close();
    workers.close();
    arena.close();
    checkpoint.close();
  }
}
