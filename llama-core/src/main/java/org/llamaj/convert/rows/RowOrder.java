package org.llamaj.convert.rows;

import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.RotaryRows;
import org.llamaj.tensor.Tensor;

/**
 * Which row of a tensor comes where. Hugging Face's rotary pairs are half a head apart, GGUF's lie
 * side by side: rows of query and key projections change places within each head.
 */
public interface RowOrder {
  /**
   * The source of a row.
   *
   * @param row in the file that is written
   * @return the row in the tensor
   */
  long source(long row);

  /**
   * The order for a tensor of a checkpoint.
   *
   * @param checkpoint the model
   * @param tensor one of its tensors
   * @return null if it stays as it is
   */
  static RowOrder of(Checkpoint checkpoint, Tensor tensor) {
    Metadata metadata = checkpoint.metadata();
    String prefix = metadata.string("general.architecture").orElse("") + ".";
    boolean halfSplit = metadata.bool(prefix + Metadata.ROPE_HALF_SPLIT).orElse(false);
    if (!halfSplit || !RotaryRows.areIn(tensor.name())) return null;
    int headDim = metadata.requireInt(prefix + "attention.key_length", 2, 1 << 20);
    return row -> RotaryRows.halfSplit(row, headDim);
  }
}
