package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/** A pipeline of one's own on the level below generation: tokens in, logits out. */
class PipelineTest {

  /** Own sampler (most probable token with an even id), own stop rule (ten tokens). */
  @Test
  void ownSamplerAndStopRule() {
    try (LlamaModel model = LlamaModel.load(TestModels.small());
        Sequence sequence = model.transformer().newSequence()) {
      Transformer transformer = model.transformer();
      Batch batch = transformer.newBatch();
      for (int id : model.tokenizer().encodePrompt("the quick", SpecialTokens.none())) {
        batch.add(sequence, id);
      }
      List<Integer> generated = new ArrayList<>();
      while (generated.size() < 10) {
        int wanted = batch.wantLogits();
        transformer.forward(batch);
        int next = bestEven(batch.logits(wanted));
        generated.add(next);
        batch.clear();
        batch.add(sequence, next);
      }
      assertThat(generated).hasSize(10).allMatch(id -> id % 2 == 0);
    }
  }

  @Test
  void severalSequencesInOneBatchGiveTheLogitsOfEachAlone() {
    try (LlamaModel model = LlamaModel.load(TestModels.small())) {
      Transformer transformer = model.transformer();
      int[][] texts = {{5, 6, 7}, {100, 200}, {9, 8, 7, 6, 5, 4}};
      List<float[]> alone = new ArrayList<>();
      for (int[] text : texts) {
        try (Sequence sequence = transformer.newSequence()) {
          Batch batch = transformer.newBatch();
          add(batch, sequence, text);
          batch.wantLogits();
          transformer.forward(batch);
          alone.add(batch.logits(0));
        }
      }
      try (Sequence a = transformer.newSequence();
          Sequence b = transformer.newSequence();
          Sequence c = transformer.newSequence()) {
        Batch batch = transformer.newBatch();
        Sequence[] sequences = {a, b, c};
        for (int i = 0; i < texts.length; i++) {
          add(batch, sequences[i], texts[i]);
          batch.wantLogits();
        }
        transformer.forward(batch);
        for (int i = 0; i < texts.length; i++) {
          assertThat(sequences[i].length()).isEqualTo(texts[i].length);
          assertThat(maxDifference(batch.logits(i), alone.get(i))).isLessThan(1e-4f);
        }
      }
    }
  }

  @Test
  void aTruncatedSequenceGoesOnAsIfTheRestHadNeverBeen() {
    try (LlamaModel model = LlamaModel.load(TestModels.small());
        Sequence plain = model.transformer().newSequence();
        Sequence rewound = model.transformer().newSequence()) {
      Transformer transformer = model.transformer();
      Batch batch = transformer.newBatch();
      for (int i = 0; i < 150; i++) {
        batch.add(rewound, i);
      }
      transformer.forward(batch);
      rewound.truncate(70);
      batch.clear();
      batch.add(rewound, 400).wantLogits();
      transformer.forward(batch);
      float[] found = batch.logits(0).clone();

      batch.clear();
      for (int i = 0; i < 70; i++) {
        batch.add(plain, i);
      }
      batch.add(plain, 400).wantLogits();
      transformer.forward(batch);
      assertThat(maxDifference(found, batch.logits(0))).isLessThan(1e-4f);
    }
  }

  @Test
  void aCancelledForwardPassLeavesTheSequenceAsItWas() {
    try (LlamaModel model = LlamaModel.load(TestModels.small());
        Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch().cancelWhen(() -> true);
      batch.add(sequence, 1);
      assertThatThrownBy(() -> model.transformer().forward(batch))
          .isInstanceOf(CancellationException.class);
      assertThat(sequence.length()).isZero();
    }
  }

  @Test
  void aBatchRefusesWhatCannotRun() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).batchSize(4).load();
        Sequence b = model.transformer().newSequence()) {
      Sequence a = model.transformer().newSequence();
      Batch batch = model.transformer().newBatch();
      assertThatThrownBy(batch::wantLogits).isInstanceOf(IllegalArgumentException.class);
      batch.add(a, 1).add(b, 1);
      assertThatThrownBy(() -> batch.add(a, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("one after another");
      batch.add(b, 2).add(b, 3);
      assertThatThrownBy(() -> batch.add(b, 4))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("takes 4 tokens");
      a.close();
      assertThatThrownBy(() -> model.transformer().forward(batch))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("sequence is closed");
    }
  }

  private static void add(Batch batch, Sequence sequence, int[] tokens) {
    for (int token : tokens) {
      batch.add(sequence, token);
    }
  }

  private static int bestEven(float[] logits) {
    int best = 0;
    for (int i = 2; i < logits.length; i += 2) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  private static float maxDifference(float[] a, float[] b) {
    float max = 0;
    for (int i = 0; i < a.length; i++) {
      max = Math.max(max, Math.abs(a[i] - b[i]));
    }
    return max;
  }
}
