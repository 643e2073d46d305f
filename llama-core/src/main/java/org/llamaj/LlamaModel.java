package org.llamaj;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.kernel.CacheType;
import org.llamaj.loading.LoadedModel;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.chat.ChatFormat;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

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
  private final LoadedModel loaded;
  private final AtomicBoolean closed = new AtomicBoolean();

  LlamaModel(LoadedModel loaded) {
    this.loaded = loaded;
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
    return new ModelBuilder(() -> Checkpoint.open(path));
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
    return new ModelBuilder(() -> readResource(owner, resource));
  }

  /**
   * Begins to load a model from a stream, which is copied into memory outside the heap.
   *
   * @param stream holds a GGUF file; read to its end and left open
   * @param name what messages call it
   * @return options to set, then {@link ModelBuilder#load}, which reads the stream
   */
  public static ModelBuilder builder(InputStream stream, String name) {
    return new ModelBuilder(() -> GgufReader.read(stream, name));
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
   */
  public GenerationRequest prompt(String prompt) {
    Objects.requireNonNull(prompt, "prompt");
    int[] ids = tokenizer().encodePrompt(prompt, SpecialTokens.none());
    return prompt(ids);
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
   * Begins a conversation in the format the model's file names.
   *
   * @return options to set, then {@link ChatBuilder#open}
   */
  public ChatBuilder chat() {
    return new ChatBuilder(this);
  }

  /**
   * How the model expects conversations.
   *
   * @return thread-safe
   * @throws LlamaException if the model's file names no chat format that is known
   */
  public ChatFormat chatFormat() {
    try {
      return ChatFormat.of(tokenizer(), checkpoint().metadata());
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
   * The kernels the model runs on.
   *
   * @return the name of their provider, for example {@code x86}
   */
  public String kernels() {
    return loaded.selection().provider().name();
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
      loaded.close();
    }
  }

  private static Checkpoint readResource(Class<?> owner, String resource) {
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

  GenerationStream stream(int[] prompt, GenerationOptions options) {
    Sequence sequence = transformer().newSequence();
    return new GenerationStream(
        transformer(), tokenizer(), sequence, prompt, 0, options, sequence::close);
  }

  GenerationStream stream(
      Sequence sequence, int[] prompt, int cached, GenerationOptions options, Runnable onEnd) {
    return new GenerationStream(
        transformer(), tokenizer(), sequence, prompt, cached, options, onEnd);
  }
}
