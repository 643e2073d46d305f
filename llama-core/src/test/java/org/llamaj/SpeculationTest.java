package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.sampling.LogitBias;
import org.llamaj.sampling.Penalties;

/** Guesses change nothing but the number of forward passes. */
class SpeculationTest {
  private static final String REPETITIVE = "red fox, blue fox, red fox, blue fox, red fox,";
  private static LlamaModel model;
  private static LlamaModel twin;
  private static LlamaModel stranger;

  @BeforeAll
  static void load() {
    model = LlamaModel.builder(TestModels.small()).kernels("scalar").contextLength(600).load();
    twin = LlamaModel.builder(TestModels.small()).kernels("scalar").contextLength(600).load();
    stranger = LlamaModel.builder(TestModels.llama2()).kernels("scalar").contextLength(600).load();
  }

  @AfterAll
  static void close() {
    model.close();
    twin.close();
    stranger.close();
  }

  static Stream<Speculation> kinds() {
    return Stream.of(
        Speculation.promptLookup(),
        new Speculation.PromptLookup(1),
        Speculation.draft(twin),
        new Speculation.Draft(twin, 3),
        Speculation.draft(stranger));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void theTextIsTheOneWithoutGuesses(Speculation kind) {
    if (kind instanceof Speculation.Draft(LlamaModel draft, _)
        && draft.tokenizer().vocabularySize() != model.tokenizer().vocabularySize()) {
      assertThatThrownBy(() -> model.prompt("a").speculation(kind).generate())
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("same vocabulary");
      return;
    }
    for (GenerationRequest request :
        List.of(
            model.prompt(REPETITIVE).temperature(0),
            model.prompt(REPETITIVE).temperature(1.2f).seed(7),
            model
                .prompt("the quick")
                .sampling(s -> s.withTemperature(0).with(new Penalties(64, 1.3f, 0, 0))))) {
      for (int tokens : new int[] {1, 2, 7, 50}) {
        Generation plain = request.maxTokens(tokens).generate();
        Generation guessed = request.maxTokens(tokens).speculation(kind).generate();
        assertThat(guessed.tokens()).isEqualTo(plain.tokens());
        assertThat(guessed.finishReason()).isEqualTo(plain.finishReason());
      }
    }
  }

  @Test
  void aModelThatAgreesSavesForwardPasses() {
    int end = model.tokenizer().eos().orElseThrow();
    long before = model.scheduler().steps();
    Generation text =
        model
            .prompt("the quick")
            .sampling(s -> s.withTemperature(0).with(new LogitBias(Map.of(end, -100f))))
            .maxTokens(80)
            .speculation(Speculation.draft(twin))
            .generate();
    assertThat(text.timings().rightGuesses())
        .isBetween(50, text.timings().guessedTokens())
        .isLessThan(80);
    assertThat(model.scheduler().steps() - before).isLessThan(35);
  }

  @Test
  void aTextUpToTheEndOfTheContextIsTheSame() {
    GenerationRequest request = model.prompt(REPETITIVE).temperature(0).maxTokens(10_000);
    Generation plain = request.generate();
    Generation guessed = request.speculation(Speculation.draft(twin)).generate();
    assertThat(guessed.tokens()).isEqualTo(plain.tokens());
    assertThat(guessed.finishReason())
        .isEqualTo(plain.finishReason())
        .isEqualTo(FinishReason.CONTEXT_FULL);
  }

  @Test
  void aConversationWithGuessesIsTheSame() {
    GenerationOptions options =
        GenerationOptions.defaults().withMaxTokens(30).withSampling(SamplingOptions.greedy());
    try (ChatSession plain = model.chat().options(options).open();
        ChatSession guessed =
            model.chat().options(options).speculation(Speculation.promptLookup()).open()) {
      for (String text : List.of(REPETITIVE, "again", REPETITIVE)) {
        assertThat(guessed.send(text).text()).isEqualTo(plain.send(text).text());
        assertThat(guessed.tokens()).isEqualTo(plain.tokens());
      }
    }
  }

  @Test
  void nothingIsLeftOpen() {
    GenerationStream stream =
        model.prompt("a").temperature(0).speculation(Speculation.draft(twin)).stream();
    stream.next();
    stream.close();
    for (int i = 0; i < 10; i++) {
      model.prompt("a" + i).maxTokens(20).speculation(Speculation.draft(twin)).generate();
    }
    long bytes = twin.transformer().cacheBytes();
    for (int i = 0; i < 10; i++) {
      model.prompt("a" + i).maxTokens(20).speculation(Speculation.draft(twin)).generate();
    }
    assertThat(twin.transformer().cacheBytes()).isEqualTo(bytes);
  }
}
