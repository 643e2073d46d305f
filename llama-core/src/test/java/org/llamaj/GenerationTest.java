package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.llamaj.sampling.LogitBias;
import org.llamaj.tokenizer.SpecialText;

class GenerationTest {
  private static LlamaModel model;

  @BeforeAll
  static void load() {
    model = LlamaModel.builder(TestModels.small()).threads(2).contextLength(300).load();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void streamCallbackAndResultGiveTheSameText() {
    GenerationRequest request = model.prompt("the quick").maxTokens(40).temperature(0);
    StringBuilder fromCallback = new StringBuilder();
    Generation generation = request.generate(fromCallback::append);
    StringBuilder fromStream = new StringBuilder();
    try (GenerationStream stream = request.stream()) {
      stream.forEachRemaining(fromStream::append);
    }
    assertThat(generation.text()).isEqualTo(fromCallback.toString());
    assertThat(generation.text()).isEqualTo(fromStream.toString()).isNotEmpty();
  }

  @Test
  void resultCountsTokens() {
    Generation generation = model.prompt("the quick").maxTokens(12).temperature(0).generate();
    int prompt = model.tokenizer().encode("the quick").length + 1;
    assertThat(generation.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
    assertThat(generation.tokens()).hasSize(12);
    assertThat(generation.promptTokens()).as("begin-of-text included").isEqualTo(prompt);
    assertThat(generation.timings().promptTokens()).isEqualTo(prompt);
    assertThat(generation.timings().generatedTokens()).isEqualTo(12);
    assertThat(generation.timings().promptTokensPerSecond()).isPositive();
    int[] ids = generation.tokens().stream().mapToInt(Integer::intValue).toArray();
    assertThat(generation.text()).isEqualTo(model.tokenizer().decode(ids, SpecialText.SKIP));
  }

  @Test
  void theSameSeedGivesTheSameTextAndAnotherSeedAnother() {
    GenerationRequest request = model.prompt("once").maxTokens(30).temperature(1.5f);
    String text = request.seed(1).generate().text();
    assertThat(request.seed(1).generate().text()).isEqualTo(text);
    assertThat(request.seed(2).generate().text()).isNotEqualTo(text);
  }

  @Test
  void aStopStringEndsTheTextBeforeIt() {
    GenerationRequest request = model.prompt("once").maxTokens(60).temperature(0);
    String whole = request.generate().text();
    String stop = whole.substring(10, 13);
    Generation stopped = request.stop(stop).generate();
    assertThat(stopped.finishReason()).isEqualTo(FinishReason.STOP_STRING);
    assertThat(stopped.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
  }

  @Test
  void anEndTokenEndsTheGeneration() {
    int end = model.tokenizer().eos().orElseThrow();
    Generation generation =
        model
            .prompt("once")
            .sampling(s -> s.withTemperature(0).with(new LogitBias(Map.of(end, 1000f))))
            .generate();
    assertThat(generation.finishReason()).isEqualTo(FinishReason.END);
    assertThat(generation.text()).isEmpty();
    assertThat(generation.tokens()).containsExactly(end);
  }

  @Test
  void aFullContextEndsTheGeneration() {
    int[] prompt = IntStream.range(0, 290).map(i -> i % 100 + 1).toArray();
    Generation generation = model.prompt(prompt).maxTokens(100).temperature(0).generate();
    assertThat(generation.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
    assertThat(generation.tokens()).hasSize(11);
  }

  @Test
  void aPromptLongerThanTheContextIsRefused() {
    assertThatThrownBy(() -> model.prompt(new int[301]).generate())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("the context of 300 tokens is full");
    assertThat(model.transformer().newSequence().length()).isZero();
  }

  @Test
  void anEmptyPromptWithoutTokensIsRefused() {
    assertThatThrownBy(() -> model.prompt(new int[0]).generate())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least one token");
  }

  @Test
  void aTokenOutsideTheVocabularyIsRefused() {
    assertThatThrownBy(() -> model.prompt(1, 512).generate())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("from 0 to 511, found 512");
  }

  @Test
  void cancelEndsWithinOneToken() {
    List<String> pieces = new ArrayList<>();
    try (GenerationStream stream = model.prompt("once").maxTokens(200).temperature(0).stream()) {
      while (stream.hasNext()) {
        pieces.add(stream.next());
        if (pieces.size() == 3) {
          stream.cancel();
        }
      }
      assertThat(stream.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(stream.result().text()).startsWith(String.join("", pieces.subList(0, 3)));
      assertThat(pieces).hasSizeLessThanOrEqualTo(4);
    }
  }

  @Test
  void zeroTokensGiveAnEmptyText() {
    Generation generation = model.prompt("once").maxTokens(0).generate();
    assertThat(generation.text()).isEmpty();
    assertThat(generation.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
  }

  @Test
  void sequencesGiveTheirPagesBack() {
    for (int i = 0; i < 5; i++) {
      model.prompt("once").maxTokens(100).temperature(0).generate();
    }
    long after = model.transformer().cacheBytes();
    for (int i = 0; i < 20; i++) {
      model.prompt("once").maxTokens(100).temperature(0).generate();
    }
    assertThat(model.transformer().cacheBytes()).isEqualTo(after);
  }
}
