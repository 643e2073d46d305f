package org.llamaj.convert;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.tensor.Shape;

/**
 * A tensor of the file to be written, before its values are converted.
 *
 * @param description with the type that the source has
 * @param parts the tensors of the source that it consists of, one after another: mostly itself
 *     alone; of a mixture of experts as Mixtral's the experts of a layer
 */
record SourceTensor(TensorDescription description, List<String> parts) {
  private static final Pattern EXPERT =
      Pattern.compile("(blk\\.\\d+\\.ffn_(?:gate|up|down))\\.(\\d+)\\.weight");

  /**
   * The tensors of a checkpoint, experts that lie apart put together.
   *
   * @throws CheckpointException if an expert is missing or not like the others
   */
  static List<SourceTensor> of(Checkpoint checkpoint) {
    List<TensorDescription> all = checkpoint.descriptions();
    Map<String, TensorDescription> byName = new LinkedHashMap<>();
    all.forEach(tensor -> byName.put(tensor.name(), tensor));
    List<SourceTensor> tensors = new ArrayList<>();
    for (TensorDescription tensor : all) {
      Matcher expert = EXPERT.matcher(tensor.name());
      if (!expert.matches()) {
        tensors.add(new SourceTensor(tensor, List.of(tensor.name())));
      } else if (expert.group(2).equals("0")) {
        tensors.add(stack(checkpoint, expert.group(1), tensor, byName));
      }
    }
    return tensors;
  }

  private static SourceTensor stack(
      Checkpoint checkpoint,
      String module,
      TensorDescription first,
      Map<String, TensorDescription> all) {
    String prefix = checkpoint.metadata().requireString("general.architecture") + ".";
    int experts = checkpoint.metadata().requireInt(prefix + "expert_count", 1, 1 << 16);
    List<String> parts = new ArrayList<>();
    for (int expert = 0; expert < experts; expert++) {
      String name = "%s.%d.weight".formatted(module, expert);
      TensorDescription part = all.get(name);
      if (part == null
          || part.type() != first.type()
          || !part.shape().equals(first.shape())
          || first.shape().rank() != 2) {
        throw new CheckpointException(
            "%s: %s: expected a matrix like that of expert 0, %s %s, found %s"
                .formatted(checkpoint.source(), name, first.type(), first.shape(), part));
      }
      parts.add(name);
    }
    Shape shape = Shape.of(experts, first.shape().size(0), first.shape().size(1));
    return new SourceTensor(
        new TensorDescription(module + "_exps.weight", first.type(), shape), parts);
  }
}
