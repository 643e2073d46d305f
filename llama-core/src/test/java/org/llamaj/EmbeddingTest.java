package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

class EmbeddingTest {
  private static LlamaModel model;

  @BeforeAll
  static void load() {
    model =
        LlamaModel.builder(TestModels.small())
            .kernels("scalar")
            .contextLength(600)
            .batchSize(32)
            .load();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void textsTogetherGiveTheVectorsOfEachAlone() {
    List<String> texts =
        IntStream.range(0, 40).mapToObj(i -> "the quick brown fox ".repeat(i % 7 + 1) + i).toList();
    EmbeddingRequest request = model.embedding();
    List<Embedding> together = request.embed(texts);
    for (int i = 0; i < texts.size(); i++) {
      assertThat(together.get(i).values()).isEqualTo(request.embed(texts.get(i)).values());
    }
  }

  @Test
  void theStateIsWhatLogitsAreMadeOf() {
    int[] ids = model.tokenizer().encodePrompt("the quick", SpecialTokens.none());
    float[] last =
        model.embedding().pooling(Pooling.LAST).normalised(false).embed("the quick").values();
    float[] first =
        model.embedding().pooling(Pooling.CLS).normalised(false).embed("the quick").values();
    float[] mean = model.embedding().normalised(false).embed("the quick").values();
    float[][] states = new float[ids.length][last.length];
    try (Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      for (int i = 0; i < ids.length; i++) {
        batch.add(sequence, ids[i]).addStateTo(states[i]);
      }
      model.transformer().forward(batch);
    }
    assertThat(last).isEqualTo(states[ids.length - 1]);
    assertThat(first).isEqualTo(states[0]).isNotEqualTo(last);
    for (int i = 0; i < mean.length; i++) {
      float sum = 0;
      for (float[] state : states) {
        sum += state[i];
      }
      assertThat(mean[i]).isCloseTo(sum / ids.length, offset(1e-6f));
    }
  }

  @Test
  void vectorsHaveLengthOneAndACosine() {
    List<Embedding> vectors = model.embedding().embed(List.of("a cat", "a cat", "12345"));
    double length = 0;
    for (float value : vectors.getFirst().values()) {
      length += value * value;
    }
    assertThat(length).isCloseTo(1, offset(1e-5));
    assertThat(vectors.get(0).cosine(vectors.get(1))).isCloseTo(1, offset(1e-9));
    assertThat(vectors.get(0).cosine(vectors.get(2))).isLessThan(0.999);
    assertThatThrownBy(() -> vectors.getFirst().cosine(new Embedding(new float[3])))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aTextThatDoesNotFitIsRefusedAndNothingIsLeftOpen() {
    assertThatThrownBy(() -> model.embedding().embed(List.of("a", "long ".repeat(1000))))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("context of 600 tokens");
    assertThat(model.embedding().embed("a").values()).isNotEmpty();
  }

  @Test
  void rerankingOrdersByTheLikelihoodOfTheQuestion() {
    List<String> documents = List.of("one two three", "the quick brown fox jumps", "zzz");
    List<Ranked> ranked = model.rerank("the quick brown fox jumps over?", documents);
    assertThat(ranked).extracting(Ranked::index).containsExactlyInAnyOrder(0, 1, 2);
    assertThat(ranked.get(0).score()).isGreaterThanOrEqualTo(ranked.get(1).score());
    assertThat(ranked.get(1).score()).isGreaterThanOrEqualTo(ranked.get(2).score());
    for (Ranked one : ranked) {
      assertThat(one.score())
          .isEqualTo(expected("the quick brown fox jumps over?", one.document()), offset(1e-6));
    }
  }

  /** From the logits of one pass over passage and question. */
  private static double expected(String question, String document) {
    int[] passage =
        model.tokenizer().encodePrompt("Passage: " + document + "\n", SpecialTokens.none());
    int[] asked = model.tokenizer().encode("Question: " + question);
    int[] all = IntStream.concat(IntStream.of(passage), IntStream.of(asked)).toArray();
    List<float[]> logits = org.llamaj.golden.GoldenAssertions.logits(model, all, 32);
    double sum = 0;
    for (int i = passage.length; i < all.length; i++) {
      double total = 0;
      for (float logit : logits.get(i - 1)) {
        total += Math.exp(logit);
      }
      sum += logits.get(i - 1)[all[i]] - Math.log(total);
    }
    return sum / asked.length;
  }
}
