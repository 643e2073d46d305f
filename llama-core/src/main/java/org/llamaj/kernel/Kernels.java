package org.llamaj.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;

/**
 * The operations of a transformer's forward pass, each on all rows of a batch and on all worker
 * threads. Written as in the papers: x is one activation row per token.
 *
 * <p>Kernels belong to one model. Calls come from one thread at a time; a call returns when its
 * results are in memory. Nothing is allocated per call once the scratch memory has grown to the
 * largest batch. Sizes are checked when matrices are made, not in every call.
 */
public interface Kernels extends AutoCloseable {

  /**
   * What runs, in words for {@code describe()}.
   *
   * @return for example {@code x86: AVX-512 VNNI}
   */
  String description();

  /**
   * Prepares a weight matrix for {@link #project} and {@link #embed}. Called once per matrix, at
   * load.
   *
   * @param tensor shape [outputs, inputs], any readable element type
   * @return the matrix as these kernels want it
   */
  WeightMatrix weightMatrix(Tensor tensor);

  /**
   * Matrix products on the same input: for each projection, output = input x weight^T.
   *
   * @param input at least {@code rows} rows of the weights' {@code inputs} values
   * @param rows how many rows to compute
   * @param projections the weights and where the results go; all have the same number of inputs
   */
  void project(FloatMatrix input, int rows, Projection... projections);

  /**
   * Embedding lookup: row i of the output becomes row ids[i] of the table.
   *
   * @param table shape [vocabulary, dim]
   * @param ids token ids, valid row numbers
   * @param count how many ids
   * @param output at least {@code count} rows of dim values
   */
  void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output);

  /**
   * Root mean square layer normalisation (Zhang and Sennrich 2019): y = x / sqrt(mean(x^2) + eps) *
   * weight, row by row. Input and output may be the same.
   *
   * @param input rows of n values
   * @param rows how many rows
   * @param weight n float32 values, or null for a norm without weight; they stay as they are while
   *     the kernels are open
   * @param eps added to the mean square
   * @param output rows of n values
   */
  void rmsNorm(FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output);

  /**
   * Rotary position embedding (Su et al. 2021), in place: for each head, its i-th pair of
   * components is turned by the angle of its row and i.
   *
   * @param x rows of heads x headDim values
   * @param rows how many rows
   * @param headDim values per head
   * @param angles per row, laid out as the components they turn: cos and sin of pair i are where
   *     its two components are among the rotated ones. Its columns are the number of rotated
   *     components, at most headDim; later components stay
   * @param pairs which components make a pair: of n rotated ones, i and i + n/2, or 2i and 2i + 1
   */
  void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs);

  /**
   * Appends keys and values to the caches of their sequences.
   *
   * @param keys rows of kvHeads x headDim values, already rotated
   * @param values rows of kvHeads x headDim values
   * @param spans which rows belong where
   * @param spanCount how many of the spans count
   * @param shape proportions and page layout
   */
  void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape);

  /**
   * Grouped-query attention over the paged cache, softmax(q k^T scale) v for each row and head. A
   * query sees the keys up to {@link Span#lastKey}, its own position p where attention is causal,
   * from {@link AttentionShape#firstKey} of that on; these have been stored before.
   *
   * @param queries rows of heads x headDim values, already rotated
   * @param spans which rows belong to which sequence
   * @param spanCount how many of the spans count
   * @param shape proportions and page layout
   * @param output rows of heads x headDim values
   */
  void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output);

  /**
   * The gate of SwiGLU (Shazeer 2020), in place: gate = silu(gate) * up, silu(x) = x / (1 +
   * exp(-x)).
   *
   * @param gate rows of n values, receives the result
   * @param up rows of n values
   * @param rows how many rows
   */
  void swiGlu(FloatMatrix gate, FloatMatrix up, int rows);

  /**
   * The mixture of a layer in one operation: chooses experts by their scores and sums what they
   * make of each row,
   *
   * <pre>
   * SOFTMAX           y = sum over chosen experts e of  weight(e) expert_e(x)
   * SIGMOID_OF_INPUT  y = sum over chosen experts e of  expert_e(weight(e) x)
   * </pre>
   *
   * For kernels that choose where the weights are, so that the processor need not know what was
   * chosen. Scores that are no finite numbers make a result that is none.
   *
   * @param input rows of dim values
   * @param scores rows of one value per expert
   * @param rows how many rows
   * @param mixture the experts
   * @param output rows of dim values, receives the sum; not the input
   * @return false if these kernels want to be called expert by expert, and nothing was done
   */
  default boolean mix(
      FloatMatrix input, FloatMatrix scores, int rows, Mixture mixture, FloatMatrix output) {
    return false;
  }

  /**
   * The residual connection: x = x + y.
   *
   * @param x rows of n values, receives the sum
   * @param y rows of n values
   * @param rows how many rows
   */
  void add(FloatMatrix x, FloatMatrix y, int rows);

  /**
   * Adds the same bias to every row.
   *
   * @param x rows of n values, receives the sum
   * @param rows how many rows
   * @param bias n float32 values; they stay as they are while the kernels are open
   */
  void addBias(FloatMatrix x, int rows, MemorySegment bias);

  /**
   * Layer normalisation (Ba et al. 2016): y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias,
   * row by row. Input and output may be the same.
   *
   * @param input rows of n values
   * @param rows how many rows
   * @param weight n float32 values
   * @param bias n float32 values
   * @param eps added to the variance
   * @param output rows of n values
   */
  default void layerNorm(
      FloatMatrix input,
      int rows,
      MemorySegment weight,
      MemorySegment bias,
      float eps,
      FloatMatrix output) {
    Elementwise.centre(input, rows, output);
    rmsNorm(output, rows, weight, eps, output);
    addBias(output, rows, bias);
  }

  /**
   * The Gaussian error linear unit (Hendrycks and Gimpel 2016) in its exact form, in place: x = x/2
   * (1 + erf(x / sqrt 2)).
   *
   * @param x rows of n values
   * @param rows how many rows
   */
  default void gelu(FloatMatrix x, int rows) {
    Elementwise.gelu(x, rows);
  }

  /**
   * Multiplies by a number, in place.
   *
   * @param x rows of n values
   * @param rows how many rows
   * @param factor the number
   */
  default void scale(FloatMatrix x, int rows, float factor) {
    Elementwise.scale(x, rows, factor);
  }

  /**
   * Finds the greatest values of each row, in descending order; of equals, the lower index first.
   *
   * @param x rows of n values
   * @param rows how many rows
   * @param count how many values to find, at most n and at most 64
   * @param indices receives where they are in their rows, {@code count} for each row
   * @param values receives them, {@code count} for each row; readable when this returns
   */
  default void best(FloatMatrix x, int rows, int count, int[] indices, float[] values) {
    fetch(x, rows);
    for (int row = 0; row < rows; row++) {
      Elementwise.best(x.row(row), x.columns(), count, row * count, indices, values);
    }
  }

  /**
   * Copies one row.
   *
   * @param source rows of n values
   * @param from which of them
   * @param target rows of n values
   * @param to where the row goes
   */
  default void copyRow(FloatMatrix source, int from, FloatMatrix target, int to) {
    long bytes = (long) Float.BYTES * source.columns();
    MemorySegment.copy(source.data(), from * bytes, target.data(), to * bytes, bytes);
  }

  /**
   * Lets the kernels keep activations where they compute, on a device for example, from one
   * operation to the next. Whoever reads such a matrix, or a part of it, by other means than these
   * operations calls {@link #fetch} before, whoever writes to it {@link #publish} afterwards.
   *
   * @param activations live as long as the kernels
   */
  default void keep(FloatMatrix activations) {}

  /**
   * Makes the first rows of a matrix readable for everybody.
   *
   * @param x a matrix, or rows of one
   * @param rows how many rows
   */
  default void fetch(FloatMatrix x, int rows) {}

  /**
   * Tells that the first rows of a matrix were written by other means than these operations.
   *
   * @param x a matrix, or rows of one
   * @param rows how many rows
   */
  default void publish(FloatMatrix x, int rows) {}

  /**
   * Ends a forward pass: whatever was begun is done, keys and values are in their pages.
   *
   * @throws org.llamaj.LlamaException if the device failed since the last result was fetched
   */
  default void finish() {}

  /**
   * The memory for key-value caches that these kernels like best.
   *
   * @param host the memory of the processor
   * @return that memory, or the device's; closed by the caller, before the kernels
   */
  default PageMemory pageMemory(PageMemory host) {
    return host;
  }

  /**
   * What the device these kernels run on can do at most.
   *
   * @return empty for kernels of the processor, and where the device does not tell
   */
  default Optional<Roof> roof() {
    return Optional.empty();
  }

  /** Releases scratch and weight copies. The kernels must not be in use. */
  @Override
  void close();
}
