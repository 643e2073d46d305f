package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.grammar.Grammar;
import org.llamaj.grammar.GrammarException;
import org.llamaj.schema.JsonForm;
import tools.jackson.databind.json.JsonMapper;

/** Generations with random weights, which would say anything, held to grammars. */
class ConstrainedGenerationTest {
  enum Size {
    SMALL,
    LARGE
  }

  record Item(String name, Size size, Optional<Integer> count, List<Boolean> flags) {}

  static List<Path> models() {
    return List.of(TestModels.small(), TestModels.llama2());
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyTextOfASchemaIsReadAtEveryLimit(Path file) {
    try (LlamaModel model = LlamaModel.builder(file).contextLength(256).load()) {
      JsonForm<Item> form = JsonForm.of(Item.class);
      GenerationRequest request = model.prompt("say").grammar(form.grammar());
      int least = leastTokens(request);
      JsonMapper mapper = new JsonMapper();
      for (int seed = 0; seed < 200; seed++) {
        Generation generation =
            request.temperature(1 + seed % 3).seed(seed).maxTokens(least + seed % 50).generate();
        assertThat(generation.tokens()).hasSizeLessThanOrEqualTo(least + seed % 50);
        assertThat(form.grammar().accepts(generation.text())).as(generation.text()).isTrue();
        mapper.readTree(generation.text());
        assertThat(form.read(generation.text()).size()).isNotNull();
      }
    }
  }

  /** The smallest limit that is not refused; one less is, with this number in its message. */
  private static int leastTokens(GenerationRequest request) {
    for (int limit = 1; ; limit++) {
      try {
        request.maxTokens(limit).seed(1).generate();
        return limit;
      } catch (GrammarException e) {
        assertThat(e).hasMessageContaining("expected a limit of at least");
      }
    }
  }

  @Test
  void withoutCompletionATextMayBeCutOffButIsNeverWrong() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).contextLength(256).load()) {
      JsonForm<Item> form = JsonForm.of(Item.class);
      GenerationRequest request =
          model.prompt("say").options(GenerationOptions.defaults().withCompletion(false));
      int cut = 0;
      for (int seed = 0; seed < 100; seed++) {
        Generation generation =
            request.grammar(form.grammar()).seed(seed).maxTokens(20).temperature(2).generate();
        String text = generation.text().replace("\ufffd", "");
        assertThat(form.grammar().validPrefix(text)).isEqualTo(text.length());
        cut += generation.finishReason() == FinishReason.MAX_TOKENS ? 1 : 0;
      }
      assertThat(cut).isPositive();
      assertThatThrownBy(() -> request.maxTokens(3).as(Item.class))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("expected JSON for Item");
    }
  }

  @Test
  void aChoiceEndsByItselfAndAConversationGoesOn() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).contextLength(512).load();
        ChatSession chat = model.chat().temperature(0).maxTokens(10).open()) {
      Generation answer = chat.send("Well?", Grammar.choice("yes", "no", "né 語"));
      assertThat(answer.text()).isIn("yes", "no", "né 語");
      assertThat(answer.finishReason()).isEqualTo(FinishReason.END);
      int tokens = chat.tokens();
      Generation second = chat.send("Really?", Grammar.regex("[0-9]{3}"));
      assertThat(second.text()).matches("[0-9]{3}");
      assertThat(second.timings().promptTokens()).isLessThan(second.promptTokens() - tokens + 3);
      assertThat(chat.ask("Size?", Size.class)).isInstanceOf(Size.class);
    }
  }

  @Test
  void logProbabilitiesAreThoseOfTheScore() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).contextLength(256).load()) {
      Generation generation =
          model.prompt("once upon").logProbabilities(3).seed(4).maxTokens(12).generate();
      assertThat(generation.logProbabilities()).hasSameSizeAs(generation.tokens());
      TokenProbability first = generation.logProbabilities().getFirst();
      assertThat(first.alternatives()).hasSize(3);
      assertThat(first.alternatives().getFirst().logProbability())
          .isGreaterThanOrEqualTo(first.logProbability());
      Score score = new Score(generation.logProbabilities());
      int[] before =
          model.tokenizer().encodePrompt("once upon", org.llamaj.tokenizer.SpecialTokens.none());
      int[] all = java.util.Arrays.copyOf(before, before.length + generation.tokens().size());
      for (int i = 0; i < generation.tokens().size(); i++) {
        all[before.length + i] = generation.tokens().get(i);
      }
      Score again =
          new org.llamaj.generate.Scorer(model.transformer(), model.tokenizer())
              .score(all, before.length, 0);
      assertThat(again.logLikelihood()).isCloseTo(score.logLikelihood(), within(1e-3));
    }
  }

  @Test
  void aLongTextIsScoredInWindows() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).contextLength(64).load()) {
      String text = "the quick brown fox jumps over the lazy dog. ".repeat(12);
      assertThatThrownBy(() -> model.score(text))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("perplexity");
      assertThat(model.perplexity(text)).isBetween(1.0, 1e6);
      int[] ids = model.tokenizer().encodePrompt(text, org.llamaj.tokenizer.SpecialTokens.none());
      Score score =
          new org.llamaj.generate.Scorer(model.transformer(), model.tokenizer()).scoreLong(ids, 64);
      assertThat(score.tokens().stream().map(TokenProbability::token).toList())
          .isEqualTo(java.util.Arrays.stream(ids).skip(1).boxed().toList());
    }
  }

  @Test
  void nBestIsOrderedByProbability() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).contextLength(128).load()) {
      List<Generation> best = model.prompt("once").seed(3).maxTokens(8).nBest(4);
      assertThat(best).hasSize(4);
      assertThat(best.stream().map(Generation::tokens).distinct().count()).isGreaterThan(1);
      for (int i = 1; i < 4; i++) {
        assertThat(new Score(best.get(i - 1).logProbabilities()).perplexity())
            .isLessThanOrEqualTo(new Score(best.get(i).logProbabilities()).perplexity());
      }
    }
  }
}
