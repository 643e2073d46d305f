package org.llamaj.checkpoint;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedCollection;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.llamaj.tensor.Tensor;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/**
 * An open model: metadata and named tensors over the mapped file or files.
 *
 * <pre>{@code
 * try (Checkpoint checkpoint = Checkpoint.open(path)) {
 *   for (Tensor tensor : checkpoint.tensors()) {
 *     System.out.println(tensor.name() + " " + tensor.type() + " " + tensor.shape());
 *   }
 *   float[] norm = checkpoint.tensor("output_norm.weight").toFloats();
 * }
 * }</pre>
 *
 * <p>Thread-safe. The memory of the tensors is valid until {@link #close}; a kernel must not run on
 * it after that.
 */
public final class Checkpoint implements AutoCloseable {
  private final Metadata metadata;
  private final SequencedMap<String, Tensor> tensors;
  private final List<DerivedTensor> derived;
  private final Function<Metadata, Tokenizer> tokenizer;
  private final Storage storage;

  /**
   * A checkpoint of any format, already validated.
   *
   * @param metadata what the file says about itself
   * @param tensors in the order of the file, names unique
   * @param storage where the tensors' memory is, closed with the checkpoint
   * @throws CheckpointException if two tensors have the same name
   */
  public Checkpoint(Metadata metadata, List<Tensor> tensors, Storage storage) {
    this(metadata, tensors, List.of(), storage, Tokenizer::of);
  }

  /**
   * A checkpoint of which some tensors have to be made, or whose tokenizer is in a file of its own.
   *
   * @param metadata what the file says about itself
   * @param tensors in the order of the file, names unique
   * @param derived tensors to be made, with names that no other has
   * @param storage where the tensors' memory is, closed with the checkpoint
   * @param tokenizer reads the tokenizer
   * @throws CheckpointException if two tensors have the same name
   */
  public Checkpoint(
      Metadata metadata,
      List<Tensor> tensors,
      List<DerivedTensor> derived,
      Storage storage,
      Function<Metadata, Tokenizer> tokenizer) {
    SequencedMap<String, Tensor> byName = new LinkedHashMap<>();
    for (Tensor tensor : tensors) {
      if (byName.put(tensor.name(), tensor) != null) {
        throw new CheckpointException(
            "%s: tensor %s: expected unique names, found it twice"
                .formatted(metadata.source(), tensor.name()));
      }
    }
    this.metadata = metadata;
    this.tensors = Collections.unmodifiableSequencedMap(byName);
    this.derived = List.copyOf(derived);
    this.tokenizer = tokenizer;
    this.storage = storage;
  }

  /**
   * Opens a model of any format that this library reads; which, its content tells. Files are
   * mapped, and no tensor is read. Metadata and tensors have GGUF's names; only of safetensors
   * files that are not part of a model the names are those in the file.
   *
   * @param path a GGUF file (the first one of a split model); a directory with {@code config.json}
   *     and safetensors files as on Hugging Face, or one of these files; a directory with {@code
   *     params.json} and {@code consolidated.00.pth} as Meta publishes them, or one of these files;
   *     any safetensors file, or an index of several; or a directory with a GGUF model
   * @return the open checkpoint, to be closed by the caller
   * @throws CheckpointException if there is nothing of a known format, or it is damaged
   */
  public static Checkpoint open(Path path) {
    return CheckpointFormat.of(path).open(path);
  }

  /** {@return what messages call this checkpoint: the name of its (first) file} */
  public String source() {
    return metadata.source();
  }

  /** {@return what the file says about itself} */
  public Metadata metadata() {
    return metadata;
  }

  /**
   * All tensors.
   *
   * @return in the order of the file
   * @throws CheckpointException if the checkpoint is closed
   */
  public SequencedCollection<Tensor> tensors() {
    requireOpen();
    return tensors.sequencedValues();
  }

  /**
   * A tensor that may be there.
   *
   * @param name for example {@code output.weight}
   * @return the tensor
   * @throws CheckpointException if the checkpoint is closed
   */
  public Optional<Tensor> find(String name) {
    requireOpen();
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * A tensor that must be there.
   *
   * @param name for example {@code token_embd.weight}
   * @return the tensor
   * @throws CheckpointException if there is no such tensor, or the checkpoint is closed
   */
  public Tensor tensor(String name) {
    return find(name).orElseThrow(() -> missing(name));
  }

  private CheckpointException missing(String name) {
    return new CheckpointException(
        "%s: tensor %s: expected it among the %d tensors, found none of that name"
            .formatted(source(), name, tensors.size()));
  }

  /**
   * The tensors that the files hold in another form, and that have to be made in memory.
   *
   * @return none for GGUF
   */
  public List<DerivedTensor> derived() {
    return derived;
  }

  /**
   * Names, types and shapes of all tensors, those included that have to be made.
   *
   * @return in the order of the file
   */
  public List<TensorDescription> descriptions() {
    return Stream.concat(
            tensors.sequencedValues().stream()
                .map(tensor -> new TensorDescription(tensor.name(), tensor.type(), tensor.shape())),
            derived.stream().map(DerivedTensor::description))
        .toList();
  }

  /**
   * Name, type and shape of a tensor that must be there, or must be one that can be made.
   *
   * @param name for example {@code token_embd.weight}
   * @return its description
   * @throws CheckpointException if there is no such tensor
   */
  public TensorDescription description(String name) {
    return descriptions().stream()
        .filter(tensor -> tensor.name().equals(name))
        .findFirst()
        .orElseThrow(() -> missing(name));
  }

  /** {@return how many values all tensors have together} */
  public long parameters() {
    return descriptions().stream().mapToLong(tensor -> tensor.shape().elements()).sum();
  }

  /**
   * Reads the tokenizer that belongs to the model.
   *
   * @return a new tokenizer, which stays usable when this is closed
   * @throws CheckpointException if there is none, or it is damaged or of an unknown kind
   */
  public Tokenizer tokenizer() {
    try {
      return tokenizer.apply(metadata);
    } catch (TokenizerException e) {
      throw new CheckpointException(source() + ": " + e.getMessage(), e);
    }
  }

  /** {@return the files behind it, in order; empty if it was not read from files} */
  public List<Path> files() {
    return storage.paths();
  }

  /** {@return the size of all files together} */
  public long totalBytes() {
    return storage.totalBytes();
  }

  /** {@return whether the memory of the tensors is still there} */
  public boolean isOpen() {
    return storage.isOpen();
  }

  /**
   * Makes sure that nothing of the mapped files has gone, before machine code reads them: it would
   * end the JVM. Cheap enough to be asked for each token.
   *
   * @throws CheckpointException if a file is shorter than it was when it was opened
   */
  public void requireWhole() {
    storage.requireWhole();
  }

  private void requireOpen() {
    if (!isOpen()) throw new CheckpointException(source() + " is closed");
  }

  /**
   * Gives the memory back. A second call does nothing.
   *
   * @throws CheckpointException if another thread is just reading the memory; close when it is done
   */
  @Override
  public synchronized void close() {
    if (!isOpen()) return;
    try {
      storage.close();
    } catch (IllegalStateException e) {
      throw new CheckpointException(source() + " cannot be closed while it is being read", e);
    }
  }
}
