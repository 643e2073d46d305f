package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;

/** What is computed for some rows of a batch does not depend on which others are wanted. */
class WantedRowsTest {
  private static final int[] FIRST = new Random(1).ints(11, 5, 200).toArray();
  private static final int[] SECOND = new Random(2).ints(9, 5, 200).toArray();

  static Stream<Arguments> kernelsAndRows() {
    int[][] some = {{}, {0}, {10}, {19}, {3, 4, 5, 12}, {10, 11}, {0, 2, 4, 6, 8, 10, 12, 14, 18}};
    return Stream.of("scalar", "best")
        .flatMap(kernels -> Arrays.stream(some).map(rows -> Arguments.of(kernels, rows)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("kernelsAndRows")
  void sameLogitsAndStatesWithFewerRows(String kernels, int[] rows) throws URISyntaxException {
    Path file = Path.of(getClass().getResource("/golden/text/rope-yarn-F32/model.gguf").toURI());
    var builder = LlamaModel.builder(file).threads(2);
    try (LlamaModel model =
        (kernels.equals("scalar") ? builder.kernels("scalar") : builder).load()) {
      int[] all = new int[FIRST.length + SECOND.length];
      Arrays.setAll(all, row -> row);
      float[][] expected = pass(model.transformer(), all);
      float[][] actual = pass(model.transformer(), rows);
      float tolerance = kernels.equals("scalar") ? 0 : 1e-3f;
      for (int row : rows) {
        assertThat(actual[row])
            .as("row %d", row)
            .containsExactly(expected[row], tolerance(tolerance));
      }
      // And the next token of both sequences, of which all rows must be in the cache.
      for (int i = all.length; i < expected.length; i++) {
        assertThat(actual[i]).containsExactly(expected[i], tolerance(tolerance));
      }
    }
  }

  private static Offset<Float> tolerance(float value) {
    return Offset.offset(value);
  }

  /** The logits of some rows of a batch of two texts, and of a token after each. */
  private static float[][] pass(Transformer transformer, int[] rows) {
    int size = FIRST.length + SECOND.length;
    float[][] results = new float[size + 2][];
    Batch batch = transformer.newBatch();
    try (Sequence first = transformer.newSequence();
        Sequence second = transformer.newSequence()) {
      int[] indices = new int[size];
      float[][] states = new float[size][];
      for (int row = 0; row < size; row++) {
        boolean inFirst = row < FIRST.length;
        batch.add(inFirst ? first : second, inFirst ? FIRST[row] : SECOND[row - FIRST.length]);
        int wanted = row;
        if (Arrays.stream(rows).anyMatch(other -> other == wanted)) {
          indices[row] = batch.wantLogits();
          if (row % 3 == 0) {
            states[row] = new float[transformer.configuration().dim()];
            batch.addStateTo(states[row]);
          }
        }
      }
      transformer.forward(batch);
      for (int row : rows) {
        float[] logits = batch.logits(indices[row]).clone();
        results[row] = states[row] == null ? logits : concatenate(logits, states[row]);
      }
      batch.clear();
      batch.add(first, 7).wantLogits();
      batch.add(second, 8).wantLogits();
      transformer.forward(batch);
      results[size] = batch.logits(0).clone();
      results[size + 1] = batch.logits(1).clone();
    }
    return results;
  }

  private static float[] concatenate(float[] a, float[] b) {
    float[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
