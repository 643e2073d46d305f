package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

class CopiedTokensTest {
  private static final int PAGE = AttentionShape.PAGE_TOKENS;

  @Test
  void fillsWholePagesWithoutReading() {
    int[] ids = IntStream.range(1, PAGE + 1).toArray();
    try (LlamaModel model = DemoModel.builder().load();
        Sequence page = model.transformer().newSequence();
        Sequence sequence = model.transformer().newSequence()) {
      Transformer transformer = model.transformer();
      Batch batch = transformer.newBatch();
      Arrays.stream(ids).forEach(id -> batch.add(page, id));
      transformer.forward(batch);

      int filled = new CopiedTokens(transformer, ids).fill(page, sequence, 3 * PAGE + 5);

      assertThat(filled).isEqualTo(3 * PAGE).isEqualTo(sequence.length());
      assertThat(sequence.tokens()).startsWith(ids).hasSize(3 * PAGE);
      assertThat(logitsAfter(sequence, transformer)).isNotEqualTo(logitsAfter(page, transformer));
    }
  }

  private static float[] logitsAfter(Sequence sequence, Transformer transformer) {
    Batch batch = transformer.newBatch();
    batch.add(sequence, 1);
    batch.wantLogits();
    transformer.forward(batch);
    assertThat(batch.logits(0)[0]).isFinite();
    return batch.logits(0);
  }

  @Test
  void fillsNothingLessThanAPage() {
    try (LlamaModel model = DemoModel.builder().load();
        Sequence sequence = model.transformer().newSequence()) {
      CopiedTokens copied = new CopiedTokens(model.transformer(), new int[] {1});

      assertThat(copied.fill(sequence, sequence, PAGE - 1)).isZero();
    }
  }
}
