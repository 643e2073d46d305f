package org.llamaj.moe;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.transformer.Experts.Routing;
import org.llamaj.transformer.FeedForward;

/**
 * The mixture of one layer:
 *
 * <pre>
 * Mixtral  y = sum over chosen experts e of  weight(e) expert_e(x)
 * Llama 4  y = shared(x) + sum over chosen experts e of  expert_e(weight(e) x)
 * </pre>
 *
 * <p>Each chosen expert's network runs once, over all the tokens that chose it; the weights of the
 * others are not touched.
 */
final class MixtureOfExperts implements FeedForward {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final Router router;
  private final Routing routing;
  private final FeedForward[] experts;
  private final FeedForward shared; // writes to the workspace's output; or null
  private final Workspace workspace;

  MixtureOfExperts(
      Router router,
      Routing routing,
      FeedForward[] experts,
      FeedForward shared,
      Workspace workspace) {
    this.router = router;
    this.routing = routing;
    this.experts = experts;
    this.shared = shared;
    this.workspace = workspace;
  }

  @Override
  public FloatMatrix forward(FloatMatrix input, int rows) {
    Dispatch dispatch = workspace.dispatch();
    FloatMatrix output = workspace.output();
    router.route(input, rows, dispatch);
    if (shared == null) {
      output.data().asSlice(0, 4L * rows * output.columns()).fill((byte) 0);
    } else {
      shared.forward(input, rows);
    }
    for (int expert = 0; expert < experts.length; expert++) {
      if (dispatch.count(expert) > 0) {
        add(expert, input, output);
      }
    }
    return output;
  }

  /** Adds what one expert makes of its tokens. */
  private void add(int expert, FloatMatrix input, FloatMatrix output) {
    Dispatch dispatch = workspace.dispatch();
    FloatMatrix gathered = workspace.gathered();
    int count = dispatch.count(expert);
    boolean ofInput = routing == Routing.SIGMOID_OF_INPUT;
    for (int i = 0; i < count; i++) {
      float factor = ofInput ? dispatch.weight(expert, i) : 1;
      copyScaled(input, dispatch.token(expert, i), factor, gathered, i);
    }
    FloatMatrix results = experts[expert].forward(gathered, count);
    for (int i = 0; i < count; i++) {
      float factor = ofInput ? 1 : dispatch.weight(expert, i);
      addScaled(results, i, factor, output, dispatch.token(expert, i));
    }
  }

  private static void copyScaled(
      FloatMatrix source, int from, float factor, FloatMatrix target, int to) {
    MemorySegment x = row(source, from);
    MemorySegment y = row(target, to);
    for (long offset = 0; offset < 4L * source.columns(); offset += 4) {
      y.set(FLOAT, offset, factor * x.get(FLOAT, offset));
    }
  }

  private static void addScaled(
      FloatMatrix source, int from, float factor, FloatMatrix target, int to) {
    MemorySegment x = row(source, from);
    MemorySegment y = row(target, to);
    for (long offset = 0; offset < 4L * source.columns(); offset += 4) {
      y.set(FLOAT, offset, y.get(FLOAT, offset) + factor * x.get(FLOAT, offset));
    }
  }

  private static MemorySegment row(FloatMatrix matrix, int row) {
    long bytes = 4L * matrix.columns();
    return matrix.data().asSlice(row * bytes, bytes);
  }
}
