package org.llamaj;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.transformer.Configuration;

/**
 * What a model is, as its files say.
 *
 * @param name for people
 * @param architecture {@code llama}, {@code llama4}, ...
 * @param parameters how many weights it has
 * @param contextLength tokens it was trained for
 * @param licence the name of its licence, {@code llama3.2}; empty if the files do not tell. Llama's
 *     licences ask for the notice "Built with Llama" and have a limit of 700 million users
 * @param quantisation how most weights are stored: {@code Q4_K_M}, {@code BF16}, ...
 * @param chatFormat the format of conversations, {@code Llama 3}; empty if it has none
 */
public record ModelInfo(
    String name,
    String architecture,
    long parameters,
    int contextLength,
    Optional<String> licence,
    String quantisation,
    Optional<String> chatFormat) {

  static ModelInfo of(LlamaModel model) {
    Checkpoint checkpoint = model.checkpoint();
    Metadata metadata = checkpoint.metadata();
    Configuration configuration = model.transformer().configuration();
    return new ModelInfo(
        metadata.string("general.name").orElse(checkpoint.source()),
        configuration.architecture(),
        checkpoint.parameters(),
        configuration.contextLength(),
        metadata.string("general.license"),
        fileType(metadata).orElseGet(() -> mainType(checkpoint)),
        chatFormat(model));
  }

  private static Optional<String> fileType(Metadata metadata) {
    if (metadata.integer("general.file_type").isEmpty()) return Optional.empty();
    long id = metadata.integer("general.file_type").getAsLong();
    for (FileType type : FileType.values()) {
      if (type.id() == id) return Optional.of(type.name());
    }
    return Optional.empty();
  }

  /** The type with most bytes. */
  private static String mainType(Checkpoint checkpoint) {
    Map<String, Long> bytes = new TreeMap<>();
    for (TensorDescription tensor : checkpoint.descriptions()) {
      bytes.merge(tensor.type().name(), tensor.bytes(), Long::sum);
    }
    return bytes.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse("none");
  }

  private static Optional<String> chatFormat(LlamaModel model) {
    try {
      return Optional.of(model.chatFormat().name());
    } catch (LlamaException e) {
      return Optional.empty();
    }
  }
}
