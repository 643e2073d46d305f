package org.llamaj.transformer;

import java.util.Optional;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

/** The named tensors of a model, wherever they come from. */
@FunctionalInterface
public interface WeightSource {

  /**
   * Finds a tensor.
   *
   * @param name as GGUF names it, {@code blk.0.attn_q.weight}
   * @return the tensor, if the model has it
   */
  Optional<Tensor> find(String name);

  /**
   * A tensor that must be there in the given shape.
   *
   * @param name as GGUF names it
   * @param sizes the expected shape, outermost dimension first
   * @return the tensor
   * @throws LlamaException if it is missing, of another shape, or holds integers
   */
  default Tensor require(String name, long... sizes) {
    Tensor tensor =
        find(name)
            .orElseThrow(
                () ->
                    new LlamaException(
                        "%s: expected a tensor of shape %s, found none; the file is incomplete or of another architecture"
                            .formatted(name, Shape.of(sizes))));
    return check(tensor, sizes);
  }

  /**
   * A tensor that may be missing, but not of another shape.
   *
   * @param name as GGUF names it
   * @param sizes the expected shape, outermost dimension first
   * @return the tensor, or empty
   * @throws LlamaException if it is there and of another shape, or holds integers
   */
  default Optional<Tensor> optional(String name, long... sizes) {
    return find(name).map(tensor -> check(tensor, sizes));
  }

  private static Tensor check(Tensor tensor, long... sizes) {
    Shape expected = Shape.of(sizes);
    if (!tensor.shape().equals(expected)) {
      throw new LlamaException(
          "%s: expected shape %s, found %s".formatted(tensor.name(), expected, tensor.shape()));
    }
    if (!isWeight(tensor.type())) {
      throw new LlamaException(
          "%s: expected floating-point or quantised values, found type %s"
              .formatted(tensor.name(), tensor.type()));
    }
    return tensor;
  }

  private static boolean isWeight(ElementType type) {
    return switch (type) {
      case I8, I16, I32, I64, U8, U16, U32, U64, BOOL, F64, Q8_1 -> false;
      default -> true;
    };
  }
}
