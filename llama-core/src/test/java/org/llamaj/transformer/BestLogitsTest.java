package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.llamaj.LlamaModel;
import org.llamaj.TestModels;

/** Asking for the greatest logits gives those of all that are the greatest. */
class BestLogitsTest {

  @Test
  void areThoseOfAllLogitsAlsoWithinOneBatch() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).contextLength(128).load();
        Sequence sequence = model.transformer().newSequence()) {
      int rows = 40; // more than are computed at once
      Batch batch = model.transformer().newBatch();
      for (int i = 0; i < rows; i++) batch.add(sequence, 3 + i).wantLogits();
      model.transformer().forward(batch);
      float[][] all = new float[rows][];
      for (int i = 0; i < rows; i++) all[i] = batch.logits(i).clone();

      sequence.truncate(0);
      batch.clear();
      for (int i = 0; i < rows; i++) {
        batch.add(sequence, 3 + i);
        if (i % 5 == 4) {
          batch.wantLogits();
        } else {
          batch.wantBest(new BestLogits(1 + i % 5 * 9));
        }
      }
      model.transformer().forward(batch);
      for (int i = 0; i < rows; i++) {
        if (i % 5 == 4) {
          assertThat(batch.logits(i)).isEqualTo(all[i]);
          assertThat(batch.best(i)).isNull();
        } else {
          assertBest(batch.best(i), all[i], 1 + i % 5 * 9);
        }
      }
    }
  }

  private static void assertBest(BestLogits best, float[] all, int count) {
    assertThat(best.size()).isEqualTo(count);
    for (int k = 0; k < count; k++) {
      float logit = best.logit(k);
      assertThat(logit).isEqualTo(all[best.id(k)]);
      int greater = 0;
      for (int id = 0; id < all.length; id++) {
        if (all[id] > logit || all[id] == logit && id < best.id(k)) greater++;
      }
      assertThat(greater).isEqualTo(k);
    }
  }

  @Test
  void manyAreRefused() {
    assertThatThrownBy(() -> new BestLogits(65))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected 1 to 64 logits to be wanted, found 65");
  }
}
