package org.llamaj.convert;

import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.gguf.FileType;

/** The metadata of a file that is written from a checkpoint. */
final class TargetKeys {
  private final SequencedMap<String, MetadataValue> keys;

  private TargetKeys(SequencedMap<String, MetadataValue> keys) {
    this.keys = keys;
  }

  /**
   * Whether a checkpoint was read from GGUF, which has no key for where rotary pairs lie; readers
   * of other forms tell it.
   */
  static boolean isGguf(Checkpoint source) {
    String architecture = source.metadata().string("general.architecture").orElse("");
    String key = architecture + "." + Metadata.ROPE_HALF_SPLIT;
    return !source.metadata().values().containsKey(key);
  }

  /** Those of a GGUF file, as they are. */
  static TargetKeys ofGguf(Checkpoint source) {
    SequencedMap<String, MetadataValue> keys = new LinkedHashMap<>(source.metadata().values());
    keys.keySet().removeIf(key -> key.startsWith("split."));
    return new TargetKeys(keys);
  }

  /**
   * Those of a language model, with its vocabulary.
   *
   * @param withEncoder whether its image encoder is in the same file
   */
  static TargetKeys ofModel(Checkpoint source, boolean withEncoder) {
    SequencedMap<String, MetadataValue> keys = new LinkedHashMap<>(source.metadata().values());
    String architecture = source.metadata().requireString("general.architecture");
    keys.remove(architecture + "." + Metadata.ROPE_HALF_SPLIT);
    if (!withEncoder) keys.keySet().removeIf(key -> key.startsWith("clip."));
    keys.putIfAbsent("general.type", Text.of("model"));
    keys.putAll(
        VocabularyKeys.read(
            source.files().getFirst().toAbsolutePath().normalize().getParent(),
            source.tokenizer(),
            Math.toIntExact(source.description("token_embd.weight").shape().rows()),
            architecture));
    return new TargetKeys(keys);
  }

  /** Those of an image encoder in a file of its own. */
  static TargetKeys ofEncoder(Checkpoint source) {
    Metadata metadata = source.metadata();
    SequencedMap<String, MetadataValue> keys = new LinkedHashMap<>();
    keys.put("general.architecture", Text.of("clip"));
    keys.put("general.type", Text.of("mmproj"));
    metadata.values().entrySet().stream()
        .filter(entry -> entry.getKey().matches("general\\.(name|license)|clip\\..*"))
        .forEach(entry -> keys.put(entry.getKey(), entry.getValue()));
    String dim = metadata.requireString("general.architecture") + ".embedding_length";
    keys.put("clip.has_vision_encoder", new Flag(true));
    keys.put("clip.use_gelu", new Flag(true));
    keys.put("clip.vision.projection_dim", u32(metadata.requireInt(dim, 1, 1 << 20)));
    keys.put("clip.vision.projector.scale_factor", u32(2));
    return new TargetKeys(keys);
  }

  /** Adds what was made of the weights. */
  SequencedMap<String, MetadataValue> with(
      Optional<FileType> fileType, Optional<ImportanceMatrix> importance) {
    fileType.ifPresent(
        type -> {
          keys.put("general.file_type", u32(type.id()));
          keys.put("general.quantization_version", u32(2));
        });
    importance.ifPresent(
        matrix -> {
          keys.put("quantize.imatrix.file", Text.of(matrix.source()));
          keys.put("quantize.imatrix.dataset", Text.of(matrix.dataset()));
          keys.put("quantize.imatrix.entries_count", u32(matrix.size()));
          keys.put("quantize.imatrix.chunks_count", u32(matrix.chunks()));
        });
    return keys;
  }

  private static Whole u32(int value) {
    return new Whole(MetadataType.UINT32, value);
  }
}
