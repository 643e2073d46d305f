package org.llamaj.transformer;

import java.util.Optional;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.SplitTensor;
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
   * Finds a matrix that lies in several parts, to be used so. {@link #find} makes one tensor of it.
   *
   * @param name as GGUF names it
   * @return the parts; empty for a matrix in one part, or that is better used whole
   */
  default Optional<SplitTensor> findSplit(String name) {
    return Optional.empty();
  }

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

  /**
   * A matrix that may be in several parts, and then has to have the given shape together.
   *
   * @param name as GGUF names it
   * @param sizes the expected shape, outermost dimension first
   * @return the parts; empty if {@link #require} has it
   * @throws LlamaException if it is there and of another shape
   */
  default Optional<SplitTensor> split(String name, long... sizes) {
    Optional<SplitTensor> found = findSplit(name);
    found.ifPresent(tensor -> check(name, tensor.shape(), tensor.type(), sizes));
    return found;
  }

  private static Tensor check(Tensor tensor, long... sizes) {
    check(tensor.name(), tensor.shape(), tensor.type(), sizes);
    return tensor;
  }

  private static void check(String name, Shape found, ElementType type, long... sizes) {
    Shape expected = Shape.of(sizes);
    if (!found.equals(expected)) {
      throw new LlamaException("%s: expected shape %s, found %s".formatted(name, expected, found));
    }
    if (!isWeight(type)) {
      throw new LlamaException(
          "%s: expected floating-point or quantised values, found type %s".formatted(name, type));
    }
  }

  private static boolean isWeight(ElementType type) {
    return switch (type) {
      case I8, I16, I32, I64, U8, U16, U32, U64, BOOL, F64, Q8_1 -> false;
      default -> true;
    };
  }
}
