package org.llamaj.loading;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.llamaj.LlamaException;
import org.llamaj.Picture;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Fingerprint;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.spi.MediaEncoder;
import org.llamaj.spi.MediaEncoderProvider;
import org.llamaj.spi.MediaEncoding;
import org.llamaj.tokenizer.chat.ImageLayout;

/**
 * A model's encoder of pictures, with what it made of the last ones, so that a second question
 * about the same picture costs nothing. Thread-safe: pictures are encoded one after the other.
 */
public final class Media implements AutoCloseable {
  /** How much memory remembered encodings may take. */
  static final long CACHE_BYTES = 256L << 20;

  private final MediaEncoder encoder;
  private final Kernels kernels;
  private final Checkpoint weights;
  private final boolean own;
  private final long cacheBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Seen, MediaEncoding> encodings = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  private record Seen(Picture picture, ImageLayout layout) {}

  private volatile boolean closed;

  /**
   * @param encoder the encoder
   * @param kernels those of the encoder; closed with this
   * @param weights holds the encoder
   * @param own whether the checkpoint is the encoder's alone; then closed with this
   * @param cacheBytes how much memory remembered encodings may take
   */
  Media(MediaEncoder encoder, Kernels kernels, Checkpoint weights, boolean own, long cacheBytes) {
    this.encoder = encoder;
    this.kernels = kernels;
    this.weights = weights;
    this.own = own;
    this.cacheBytes = cacheBytes;
  }

  /**
   * Opens the encoder in a checkpoint.
   *
   * @param weights holds the encoder
   * @param own whether the checkpoint is the encoder's alone, and to be closed with it
   * @param dim width of the language model
   * @param kernels for the encoder alone; closed with it
   * @param workers the threads of the kernels
   * @return the encoder
   * @throws LlamaException if no module knows it or its weights do not fit
   */
  static Media open(Checkpoint weights, boolean own, int dim, Kernels kernels, Workers workers) {
    MediaEncoder encoder = provider(weights).open(weights, dim, kernels, workers);
    return new Media(encoder, kernels, weights, own, CACHE_BYTES);
  }

  /** Whether a module on the path knows the encoder of a checkpoint. */
  static boolean isIn(Checkpoint checkpoint) {
    return providers().anyMatch(provider -> provider.supports(checkpoint));
  }

  private static MediaEncoderProvider provider(Checkpoint weights) {
    if (providers().findAny().isEmpty()) {
      throw new LlamaException(
          "%s: holds an encoder of pictures, and no module on the path runs any: add the dependency org.llamaj:llama-vision"
              .formatted(weights.source()));
    }
    return providers()
        .filter(provider -> provider.supports(weights))
        .findFirst()
        .orElseThrow(
            () ->
                new LlamaException(
                    "%s: expected an image encoder of Llama 4 or Llama 3.2 Vision, found none"
                        .formatted(weights.source())));
  }

  private static Stream<MediaEncoderProvider> providers() {
    return ServiceLoader.load(
            MediaEncoderProvider.class, MediaEncoderProvider.class.getClassLoader())
        .stream()
        .map(ServiceLoader.Provider::get);
  }

  /**
   * The encoder itself.
   *
   * @return for its layout and sizes of pictures
   */
  public MediaEncoder encoder() {
    return encoder;
  }

  /**
   * Tells the encoder apart from others.
   *
   * @return see {@link Fingerprint}; none if its weights are in the model's checkpoint
   */
  public Optional<byte[]> fingerprint() {
    return own ? Optional.of(Fingerprint.of(weights, "")) : Optional.empty();
  }

  /**
   * Encodes a picture, or remembers what came out the last time.
   *
   * @param picture an image file
   * @param layout the encoder's, or a smaller one
   * @param cancelled asked now and then; true ends the work
   * @return what the model reads in its place
   * @throws LlamaException if it is no picture
   * @throws CancellationException if the work was cancelled or the model is closed
   */
  public MediaEncoding encode(Picture picture, ImageLayout layout, BooleanSupplier cancelled) {
    Seen key = new Seen(picture, layout);
    lock.lock();
    try {
      if (closed) {
        throw new CancellationException("the model was closed");
      }
      MediaEncoding known = encodings.get(key);
      if (known != null) {
        return known;
      }
      weights.requireWhole();
      MediaEncoding encoding =
          encoder.encode(picture, layout, () -> closed || cancelled.getAsBoolean());
      remember(key, encoding);
      return encoding;
    } finally {
      lock.unlock();
    }
  }

  private void remember(Seen key, MediaEncoding encoding) {
    encodings.put(key, encoding);
    bytes += encoding.bytes();
    var eldest = encodings.entrySet().iterator();
    while (bytes > cacheBytes && encodings.size() > 1) {
      bytes -= eldest.next().getValue().bytes();
      eldest.remove();
    }
  }

  /** Ends the work at hand, and releases the encoder. */
  @Override
  public void close() {
    closed = true;
    lock.lock();
    try {
      encodings.clear();
      encoder.close();
      kernels.close();
      if (own) {
        weights.close();
      }
    } finally {
      lock.unlock();
    }
  }
}
