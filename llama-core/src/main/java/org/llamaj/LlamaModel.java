package org.llamaj;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Fingerprint;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.generate.Scorer;
import org.llamaj.grammar.GrammarCompiler;
import org.llamaj.generate.Drafter;
import org.llamaj.generate.IdleTime;
import org.llamaj.generate.LookupDrafter;
import org.llamaj.generate.ModelDrafter;
import org.llamaj.generate.Scheduler;
import org.llamaj.generate.TokenChooser;
import org.llamaj.generate.TokenLoop;
import org.llamaj.hub.Hub;
import org.llamaj.hub.HubModel;
import org.llamaj.hub.HubSettings;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Roof;
import org.llamaj.loading.AdapterReader;
import org.llamaj.loading.LoadedModel;
import org.llamaj.loading.Media;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.chat.ChatFormat;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Prompt;
import org.llamaj.transformer.AdapterUse;
import org.llamaj.transformer.LowRankAdapter;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model of the Llama family, running in this JVM.
 *
 * <pre>{@code
 * try (LlamaModel model = LlamaModel.load(Path.of("llama-3.2-1b-instruct.gguf"))) {
 *   model.prompt("Once upon a time").maxTokens(100).generate(System.out::print);
 *   try (ChatSession chat = model.chat().system("You are a helpful assistant.").open()) {
 *     System.out.println(chat.send("What is the capital of France?").text());
 *   }
 * }
 * }</pre>
 *
 * <p>Thread-safe: any number of threads may generate and chat at once, each with streams and
 * sessions of its own. {@link #close} may be called at any time; generations under way end with a
 * {@link LlamaException}.
 */
public final class LlamaModel implements AutoCloseable {
  /** Longer windows bring little and take attention over all of them. */
  private static final int PERPLEXITY_WINDOW = 4096;

  private static final Logger LOG = LoggerFactory.getLogger(LlamaModel.class);

  private final LoadedModel loaded;
  private final GrammarCompiler grammars;
  private final Scheduler scheduler;
  private final IdleTime idleTime = new IdleTime();
  private final Optional<GenerationListener> listener;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Queue<Adapter> adapters = new ConcurrentLinkedQueue<>();

  LlamaModel(
      LoadedModel loaded, int promptChunk, int queueLimit, Optional<GenerationListener> listener) {
    this.loaded = loaded;
    grammars = new GrammarCompiler(loaded.tokenizer());
    this.listener = listener;
    scheduler = new Scheduler(loaded.transformer(), promptChunk, queueLimit);
  }

  /**
   * Loads a model with default options.
   *
   * @param path a GGUF file (the first one of a split model), or a directory as on Hugging Face;
   *     see {@link Checkpoint#open}
   * @return to be closed by the caller
   * @throws LlamaException if the file is no model this library runs
   */
  public static LlamaModel load(Path path) {
    return builder(path).load();
  }

  /**
   * Loads a model with default options; gets it from the Hugging Face Hub first, if need be.
   *
   * @param place {@code hf:owner/name}, with {@code @revision}, {@code :Q4_K_M} or {@code
   *     /file.gguf} if wanted, or else a path
   * @return to be closed by the caller
   * @throws LlamaException if the model is not to be had, or is none that this library runs
   */
  public static LlamaModel load(String place) {
    return builder(place).load();
  }

  /**
   * Tells how much memory a model would need, from the header of its file.
   *
   * @param path of a model, as {@link Checkpoint#open} knows it
   * @param contextLength tokens of the longest conversation
   * @param cacheType how keys and values are stored
   * @return bytes of weights, cache and activations
   * @throws LlamaException if the file is no model this library runs
   */
  public static MemoryPlan plan(Path path, int contextLength, CacheType cacheType) {
    return builder(path).contextLength(contextLength).cacheType(cacheType).plan();
  }

  /**
   * Begins to load a model from a file, which is mapped and not copied.
   *
   * @param path of a model, as {@link Checkpoint#open} knows it
   * @return options to set, then {@link ModelBuilder#load}
   */
  public static ModelBuilder builder(Path path) {
    Objects.requireNonNull(path, "path");
    return new ModelBuilder(_ -> Checkpoint.open(path));
  }

  /**
   * Begins to load a model from the Hugging Face Hub or from files. The Hub's settings are those of
   * the environment, {@link HubSettings#fromEnvironment}.
   *
   * @param place {@code hf:owner/name}, with {@code @revision}, {@code :Q4_K_M} or {@code
   *     /file.gguf} if wanted, or else a path
   * @return options to set, then {@link ModelBuilder#load}, which downloads what is missing
   * @throws LlamaException if the place is of neither form
   */
  public static ModelBuilder builder(String place) {
    Objects.requireNonNull(place, "place");
    if (!HubModel.isOne(place)) return builder(Path.of(place));
    HubModel model = HubModel.parse(place);
    return new ModelBuilder(
        listener -> Checkpoint.open(new Hub(HubSettings.fromEnvironment()).fetch(model, listener)));
  }

  /**
   * Begins to load a model from a class-path resource, which is copied into memory outside the
   * heap.
   *
   * @param owner a class of the module or jar that holds the resource
   * @param resource its name, as in {@link Class#getResourceAsStream}
   * @return options to set, then {@link ModelBuilder#load}
   */
  public static ModelBuilder builder(Class<?> owner, String resource) {
    Objects.requireNonNull(owner, "owner");
    Objects.requireNonNull(resource, "resource");
    return new ModelBuilder(_ -> readResource(owner, resource));
  }

  /**
   * Begins to load a model from a stream, which is copied into memory outside the heap.
   *
   * @param stream holds a GGUF file; read to its end and left open
   * @param name what messages call it
   * @return options to set, then {@link ModelBuilder#load}, which reads the stream
   */
  public static ModelBuilder builder(InputStream stream, String name) {
    Objects.requireNonNull(stream, "stream");
    Objects.requireNonNull(name, "name");
    return new ModelBuilder(_ -> GgufReader.read(stream, name));
  }

  /**
   * Continues a text with default options and waits for the end.
   *
   * @param prompt raw text; special tokens written in it stay text
   * @return text, tokens, finish reason, timings
   */
  public Generation generate(String prompt) {
    return prompt(prompt).generate();
  }

  /**
   * Begins a request to continue a text.
   *
   * @param prompt raw text; special tokens written in it stay text
   * @return options to set, then generate or stream
   * @throws LlamaException if it is no valid text: half a character
   */
  public GenerationRequest prompt(String prompt) {
    return prompt(promptIds(prompt));
  }

  /**
   * Begins a request to continue a sequence of tokens.
   *
   * @param ids the whole prompt, a begin-of-text token included where the model wants one
   * @return options to set, then generate or stream
   */
  public GenerationRequest prompt(int... ids) {
    if (ids.length == 0) {
      throw new IllegalArgumentException(
          "expected a prompt of at least one token, found none: this model adds none by itself");
    }
    return new GenerationRequest(this, ids.clone(), GenerationOptions.defaults());
  }

  /**
   * Begins a request to continue many texts together.
   *
   * @param prompts raw texts; special tokens written in them stay text
   * @return options to set, then {@link BatchRequest#generate}
   */
  public BatchRequest batch(List<String> prompts) {
    List<ModelInput> inputs =
        prompts.stream().map(text -> input(prompt(text).promptIds(), List.of())).toList();
    return new BatchRequest(this, inputs, GenerationOptions.defaults(), 16);
  }

  /**
   * Tells how probable a text is.
   *
   * @param text raw text; special tokens written in it stay text
   * @return each token with its probability after those before it, without the first one
   * @throws LlamaException if the context is too short for it
   */
  public Score score(String text) {
    return new Scorer(transformer(), tokenizer()).score(promptIds(text), 1, 0);
  }

  /**
   * Tells how probable a text is as the continuation of another one.
   *
   * @param prompt raw text; special tokens written in it stay text
   * @param continuation what may follow
   * @return the tokens of the continuation with their probabilities
   * @throws LlamaException if the context is too short for both
   */
  public Score score(String prompt, String continuation) {
    int[] before = promptIds(prompt);
    int[] after = ids(continuation);
    if (before.length == 0) {
      throw new IllegalArgumentException("expected a prompt of at least one token, found none");
    }
    int[] ids = IntStream.concat(Arrays.stream(before), Arrays.stream(after)).toArray();
    return new Scorer(transformer(), tokenizer()).score(ids, before.length, 0);
  }

  /**
   * The perplexity of a text of any length: among how many tokens the model hesitates, on average.
   * A text longer than the context is read in windows that overlap by half.
   *
   * @param text raw text; special tokens written in it stay text
   * @return 1 or more; lower is better
   */
  public double perplexity(String text) {
    int[] ids = promptIds(text);
    int window = Math.min(PERPLEXITY_WINDOW, transformer().contextLength());
    return new Scorer(transformer(), tokenizer()).scoreLong(ids, window).perplexity();
  }

  /**
   * Begins a request to turn texts into vectors.
   *
   * @return options to set, then {@link EmbeddingRequest#embed(String)}
   */
  public EmbeddingRequest embedding() {
    return new EmbeddingRequest(this, Pooling.MEAN, true);
  }

  /**
   * Orders documents by how probable the model finds a question after each of them (Sachan et al.
   * 2022).
   *
   * @param question what was asked
   * @param documents what may answer it
   * @return all of them, the best first
   * @throws LlamaException if one does not fit the context
   */
  public List<Ranked> rerank(String question, List<String> documents) {
    return new Reranker(this).rank(question, documents);
  }

  /**
   * Begins a conversation in the format the model's file names.
   *
   * @return options to set, then {@link ChatBuilder#open}
   */
  public ChatBuilder chat() {
    return new ChatBuilder(this);
  }

  /**
   * A picture as a part of a message: {@code Message.user(model.image(picture), new
   * Content.Text("What is this?"))}.
   *
   * @param picture an image file
   * @return the picture with its size
   * @throws LlamaException if this model reads text only, or it is no picture
   */
  public Content.Image image(Picture picture) {
    return media().encoder().look(picture);
  }

  /**
   * Whether the model can look at pictures.
   *
   * @return true if it was loaded with an encoder
   */
  public boolean seesPictures() {
    return loaded.media().isPresent();
  }

  /**
   * Token ids with pictures, for pipelines of one's own. Where the ids have the pictures'
   * placeholders, those are taken; where they have a mark {@code <|image|>} for each picture, its
   * tokens replace the mark; where they have neither, the pictures go to the beginning.
   *
   * @param ids token ids
   * @param pictures in the order of their places
   * @return what to feed to the transformer
   * @throws LlamaException if pictures are given and this model reads text only, if one is no
   *     picture, or there is not a place for each picture and a picture for each place
   */
  public ModelInput input(int[] ids, List<Picture> pictures) {
    return pictures.isEmpty()
        ? ModelInput.of(ids.clone())
        : ModelInput.of(ids, pictures, tokenizer(), media());
  }

  ModelInput input(Prompt prompt) {
    return prompt.images().isEmpty()
        ? ModelInput.of(prompt.ids())
        : ModelInput.of(prompt, tokenizer(), media());
  }

  /** What {@link #image} put into the message. */
  static Picture picture(Content.Image image) {
    if (image.source() instanceof Picture picture) {
      return picture;
    }
    throw new LlamaException(
        "expected an image made by LlamaModel.image, found one of %s"
            .formatted(image.source() == null ? "nothing" : image.source().getClass().getName()));
  }

  private Media media() {
    return loaded
        .media()
        .orElseThrow(
            () ->
                new LlamaException(
                    "%s: a picture was given, and this model was loaded to read text only: if it has an image encoder, give its file to ModelBuilder.mmproj and add the dependency org.llamaj:llama-vision"
                        .formatted(checkpoint().source())));
  }

  /**
   * Loads a LoRA adapter for this model, to be named by requests and conversations.
   *
   * @param path a GGUF file with an adapter, or a directory as PEFT writes it; see {@link
   *     AdapterCheckpoint#open}
   * @return to be closed by the caller, or with the model
   * @throws LlamaException if the file is no adapter or one of another model
   */
  public Adapter adapter(Path path) {
    Objects.requireNonNull(path, "path");
    AdapterCheckpoint file = AdapterCheckpoint.open(path);
    try {
      Adapter adapter = new Adapter(transformer(), AdapterReader.bind(file, transformer()), file);
      adapters.add(adapter);
      return adapter;
    } catch (Throwable failure) {
      file.close();
      throw failure;
    }
  }

  /** A list with one more adapter. */
  List<AdapterUse> with(List<AdapterUse> uses, Adapter adapter, float scale) {
    Objects.requireNonNull(adapter, "adapter");
    if (!adapter.belongsTo(transformer())) {
      throw new IllegalArgumentException(
          "the adapter %s was loaded for another model".formatted(adapter.name()));
    }
    List<AdapterUse> more = new ArrayList<>(uses);
    more.add(new AdapterUse(adapter.lowRank(), scale));
    return List.copyOf(more);
  }

  /**
   * How the model expects conversations.
   *
   * @return thread-safe
   * @throws LlamaException if the model's file names no chat format that is known, or the model is
   *     closed
   */
  public ChatFormat chatFormat() {
    transformer().requireOpen();
    try {
      return loaded
          .media()
          .map(
              media ->
                  ChatFormat.of(tokenizer(), checkpoint().metadata(), media.encoder().layout()))
          .orElseGet(() -> ChatFormat.of(tokenizer(), checkpoint().metadata()));
    } catch (TokenizerException e) {
      throw new LlamaException(
          "%s is no model for conversations: %s; use prompt() to continue a text"
              .formatted(checkpoint().source(), e.getMessage()),
          e);
    }
  }

  /**
   * The model's tokenizer.
   *
   * @return thread-safe; stays usable when the model is closed
   */
  public Tokenizer tokenizer() {
    return loaded.tokenizer();
  }

  /**
   * The level below: tokens in, logits out.
   *
   * @return thread-safe
   */
  public Transformer transformer() {
    return loaded.transformer();
  }

  /**
   * The file the model was loaded from: metadata and tensors.
   *
   * @return open until the model is closed
   */
  public Checkpoint checkpoint() {
    return loaded.checkpoint();
  }

  /**
   * The tensors as kernels read them: as they are in the file, or as they were made at load.
   *
   * @return names, types and shapes, in the order of the file
   */
  public List<TensorDescription> weights() {
    return loaded.weights();
  }

  /**
   * The kernels the model runs on.
   *
   * @return the name of their provider, for example {@code x86}
   */
  public String kernels() {
    return loaded.selection().provider().name();
  }

  /**
   * What the device that the model runs on can do at most, to compare with.
   *
   * @return empty if it runs on the processor, or the device does not tell
   */
  public Optional<Roof> roof() {
    return loaded.kernels().roof();
  }

  /**
   * How many threads compute.
   *
   * @return at least 1
   */
  public int threads() {
    return loaded.workers().threads();
  }

  /**
   * What the model is, in short.
   *
   * @return as its files say
   */
  public ModelInfo info() {
    return ModelInfo.of(this);
  }

  /**
   * What the model is and how it runs, for people: architecture, sizes, kernels and why these.
   *
   * @return several lines
   */
  public String describe() {
    return ModelDescription.of(loaded);
  }

  /**
   * Ends generations under way at their next layer and releases threads, cache and mapping. Does
   * nothing the second time.
   */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      idleTime.close();
      scheduler.close();
      loaded.close();
      adapters.forEach(Adapter::close);
    }
  }

  /** A text with what a prompt begins with. */
  int[] promptIds(String text) {
    return readable(text, () -> tokenizer().encodePrompt(text, SpecialTokens.none()));
  }

  /** A text in the middle of others. */
  int[] ids(String text) {
    return readable(text, () -> tokenizer().encode(text));
  }

  private static int[] readable(String text, Supplier<int[]> ids) {
    Objects.requireNonNull(text, "text");
    try {
      return ids.get();
    } catch (TokenizerException e) {
      throw new LlamaException(e.getMessage(), e);
    }
  }

  static Checkpoint readResource(Class<?> owner, String resource) {
    try (InputStream in = owner.getResourceAsStream(resource)) {
      if (in == null) {
        throw new LlamaException(
            "expected the resource %s beside %s, found none: is its jar on the path?"
                .formatted(resource, owner.getName()));
      }
      return GgufReader.read(in, resource);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  SessionFile sessionFile(Path file, List<AdapterUse> uses) {
    return new SessionFile(
        file,
        Fingerprint.of(checkpoint(), loaded.quantised().map(Enum::name).orElse("")),
        Fingerprint.of(
            uses.stream().map(use -> adapter(use.adapter()).fingerprint()).toList(),
            uses.stream().map(AdapterUse::scale).toList()),
        loaded.media().flatMap(Media::fingerprint));
  }

  private Adapter adapter(LowRankAdapter lowRank) {
    return adapters.stream()
        .filter(adapter -> adapter.lowRank() == lowRank)
        .findFirst()
        .orElseThrow();
  }

  Scheduler scheduler() {
    return scheduler;
  }

  IdleTime idleTime() {
    return idleTime;
  }

  GenerationStream stream(ModelInput prompt, List<AdapterUse> uses, GenerationOptions options) {
    Sequence sequence = transformer().newSequence(uses);
    int keep =
        options.overflow() instanceof ContextOverflow.Slide(int first)
            ? Math.min(first, prompt.length())
            : TokenLoop.NO_SLIDING;
    try {
      return stream(sequence, prompt, keep, 0, "text_completion", options, sequence::close);
    } catch (RuntimeException | Error e) {
      sequence.close();
      throw e;
    }
  }

  GenerationStream stream(
      Sequence sequence,
      ModelInput prompt,
      int keep,
      int cached,
      String operation,
      GenerationOptions options,
      Runnable onEnd) {
    Scheduling scheduling = options.scheduling();
    OptionalLong deadline =
        scheduling
            .timeLimit()
            .map(limit -> OptionalLong.of(System.nanoTime() + nanos(limit)))
            .orElse(OptionalLong.empty());
    int reserve = prompt.hasPictures() ? TokenLoop.NO_SLIDING : keep;
    int room = sequence.contextLength() - prompt.length() + 1;
    int most =
        reserve == TokenLoop.NO_SLIDING ? Math.min(options.maxTokens(), room) : options.maxTokens();
    TokenChooser chooser =
        new TokenChooser(
            options,
            tokenizer(),
            transformer().configuration().vocabularySize(),
            grammars,
            prompt.ids(),
            most);
    GenerationStream[] stream = new GenerationStream[1];
    Runnable atEnd =
        () -> {
          onEnd.run();
          listener.ifPresent(told -> tell(told, operation, options, stream[0]));
        };
    stream[0] =
        new GenerationStream(
            tokenizer(),
            sequence,
            scheduler.open(sequence, scheduling.priority(), deadline),
            prompt,
            chooser,
            drafter(options.speculation()),
            reserve,
            cached,
            options,
            atEnd);
    return stream[0];
  }

  private void tell(
      GenerationListener told,
      String operation,
      GenerationOptions options,
      GenerationStream ended) {
    try {
      told.onEnd(
          new GenerationReport(
              operation,
              checkpoint().source(),
              options,
              ended.result(),
              ended.age(),
              ended.failure()));
    } catch (RuntimeException e) {
      LOG.warn("a listener of generations failed", e);
    }
  }

  private Drafter drafter(Speculation speculation) {
    return switch (speculation) {
      case Speculation.None _ -> Drafter.NONE;
      case Speculation.PromptLookup _ -> new LookupDrafter();
      case Speculation.Draft(LlamaModel draft, _) -> {
        if (draft.tokenizer().vocabularySize() != tokenizer().vocabularySize()) {
          throw new LlamaException(
              "expected a model of %d tokens to guess for this one, found one of %d (%s): take one with the same vocabulary"
                  .formatted(
                      tokenizer().vocabularySize(),
                      draft.tokenizer().vocabularySize(),
                      draft.checkpoint().source()));
        }
        yield new ModelDrafter(draft.transformer(), draft.scheduler);
      }
    };
  }

  /** At most a century, so that no sum with it overflows. */
  private static long nanos(Duration limit) {
    Duration longest = Duration.ofDays(36_500);
    return (limit.compareTo(longest) < 0 ? limit : longest).toNanos();
  }
}
