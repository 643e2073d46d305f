package org.llamaj.vision.encoder;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.WeightSource;

/**
 * The tensors of an image encoder, made ready for the kernels. Large matrices stay where they are;
 * small tables become float32.
 *
 * @param source finds tensors by name
 * @param kernels the arithmetic
 * @param arena owns the float32 copies
 */
public record TowerWeights(WeightSource source, Kernels kernels, Arena arena) {

  /**
   * A weight matrix.
   *
   * @param name of the tensor; further dimensions of inputs, as those of a convolution over
   *     patches, count as one
   * @param outputs rows
   * @param inputs columns
   * @return the matrix
   * @throws LlamaException if it is missing or of another shape
   */
  public WeightMatrix matrix(String name, int outputs, int inputs) {
    return kernels.weightMatrix(flat(name, outputs, inputs));
  }

  /**
   * A vector of float32.
   *
   * @param name of the tensor
   * @param length its length
   * @return the values outside the heap
   * @throws LlamaException if it is missing or of another shape
   */
  public MemorySegment vector(String name, int length) {
    return table(name, 1, length).data();
  }

  /**
   * A vector of float32 that not all models have.
   *
   * @param name of the tensor
   * @param length its length
   * @return the values outside the heap, or null
   */
  public MemorySegment optionalVector(String name, int length) {
    return source.find(name).isPresent() ? vector(name, length) : null;
  }

  /**
   * A number.
   *
   * @param name of a tensor of one value
   * @return the value
   */
  public float scalar(String name) {
    return table(name, 1, 1).get(0, 0);
  }

  /**
   * A table of float32, such as embeddings of positions.
   *
   * @param name of the tensor; its dimensions need only multiply to the same number of values
   * @param rows rows
   * @param columns columns
   * @return the values outside the heap
   * @throws LlamaException if it is missing or of another size
   */
  public FloatMatrix table(String name, int rows, int columns) {
    Tensor tensor = flat(name, rows, columns);
    MemorySegment data = tensor.data();
    if (tensor.type() == ElementType.F32 && data.isNative() && data.address() % 4 == 0) {
      return new FloatMatrix(data, rows, columns);
    }
    FloatMatrix table = FloatMatrix.allocate(arena, rows, columns);
    kernels.embed(kernels.weightMatrix(tensor), IntStream.range(0, rows).toArray(), rows, table);
    return table;
  }

  /**
   * Three numbers, one for each channel.
   *
   * @param metadata of an encoder
   * @param key of an array
   * @return the numbers for red, green and blue
   * @throws LlamaException if there are not three
   */
  public static float[] colours(Metadata metadata, String key) {
    return metadata
        .floats(key)
        .filter(values -> values.length == 3)
        .orElseThrow(() -> new LlamaException(key + ": expected three numbers, found others"));
  }

  private Tensor flat(String name, int rows, int columns) {
    Tensor tensor =
        source
            .find(name)
            .orElseThrow(
                () ->
                    new LlamaException(
                        "%s: expected a tensor of shape [%d, %d] in the image encoder, found none; the file is incomplete or of another kind"
                            .formatted(name, rows, columns)));
    if (tensor.shape().elements() != (long) rows * columns
        || (rows > 1 && tensor.shape().size(0) != rows && tensor.columns() != columns)) {
      throw new LlamaException(
          "%s: expected shape [%d, %d], found %s".formatted(name, rows, columns, tensor.shape()));
    }
    return new Tensor(name, tensor.type(), Shape.of(rows, columns), tensor.data());
  }
}
