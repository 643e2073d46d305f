package org.llamaj.convert;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.AdapterCheckpoint.Pair;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.convert.rows.RowUpdate;
import org.llamaj.tensor.Tensor;

/** What adapters add to a checkpoint's weights: W + scale s B A. */
final class WeightUpdates {
  private final Map<String, List<RowUpdate>> updates = new HashMap<>();

  /**
   * Takes an adapter in.
   *
   * @param adapter open as long as this is used
   * @param scale 1 for as it was trained
   * @param model whose weights change
   * @throws CheckpointException if the adapter is for another model
   */
  void add(AdapterCheckpoint adapter, double scale, Checkpoint model) {
    Metadata metadata = model.metadata();
    String architecture = metadata.requireString("general.architecture");
    String prefix = architecture + ".";
    boolean halfSplit = metadata.bool(prefix + Metadata.ROPE_HALF_SPLIT).orElse(false);
    int headDim = headDim(metadata, prefix);
    Map<String, TensorDescription> weights = new HashMap<>();
    model.descriptions().forEach(tensor -> weights.put(tensor.name(), tensor));
    adapter
        .pairsFor(architecture, halfSplit, headDim)
        .forEach(
            (weight, pair) -> {
              requireFit(adapter, weight, pair, weights.get(weight));
              updates.computeIfAbsent(weight, _ -> new ArrayList<>()).add(update(pair, scale));
            });
  }

  private static int headDim(Metadata metadata, String prefix) {
    int dim = metadata.requireInt(prefix + "embedding_length", 1, 1 << 20);
    int heads = metadata.requireInt(prefix + "attention.head_count", 1, 1 << 20);
    return metadata.intOr(prefix + "attention.key_length", dim / heads, 1, 1 << 20);
  }

  private static void requireFit(
      AdapterCheckpoint adapter, String weight, Pair pair, TensorDescription found) {
    Tensor down = pair.down();
    Tensor up = pair.up();
    boolean fits =
        found != null
            && found.shape().rank() == 2
            && up.shape().rank() == 2
            && down.shape().rank() == 2
            && up.rows() == found.shape().rows()
            && down.columns() == found.shape().columns()
            && up.columns() == down.rows();
    if (!fits) {
      throw new CheckpointException(
          "%s: %s: expected A and B of a matrix of the model%s, found %s and %s; the adapter is for another one"
              .formatted(
                  adapter.source(),
                  weight,
                  found == null ? "" : ", " + found.shape(),
                  down.shape(),
                  up.shape()));
    }
  }

  private static RowUpdate update(Pair pair, double scale) {
    float[] down = pair.down().toFloats();
    Tensor up = pair.up();
    int columns = Math.toIntExact(pair.down().columns());
    double factor = scale * pair.scaling();
    return (row, values, offset) -> {
      float[] ofRow = up.rowAsFloats(row);
      for (int k = 0; k < ofRow.length; k++) {
        float weight = (float) (factor * ofRow[k]);
        for (int i = 0; i < columns; i++) {
          values[offset + i] += weight * down[k * columns + i];
        }
      }
    };
  }

  /** Whether something is added to a tensor. */
  boolean change(String tensor) {
    return updates.containsKey(tensor);
  }

  /** What is added to a tensor. */
  RowUpdate of(String tensor) {
    List<RowUpdate> all = updates.getOrDefault(tensor, List.of());
    return switch (all.size()) {
      case 0 -> RowUpdate.NONE;
      case 1 -> all.getFirst();
      default -> (row, values, offset) -> all.forEach(update -> update.add(row, values, offset));
    };
  }
}
