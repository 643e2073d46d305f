package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.llamaj.sampling.LogitBias;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.tokenizer.chat.Role;

class ContextOverflowTest {
  private static LlamaModel model;

  @BeforeAll
  static void load() {
    model = LlamaModel.builder(TestModels.small()).kernels("scalar").contextLength(200).load();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void aSlidingTextGoesOnFromItsFirstTokensAndTheLastHalf() {
    int keep = 5;
    GenerationRequest request =
        model
            .prompt("the quick brown fox")
            .sampling(s -> s.withTemperature(0).with(new LogitBias(noEnd())))
            .maxTokens(400);
    Generation slid = request.overflow(new ContextOverflow.Slide(keep)).generate();
    assertThat(slid.tokens()).hasSize(400);
    List<Integer> text = new ArrayList<>();
    for (int id : request.promptIds()) {
      text.add(id);
    }
    List<Integer> seen = new ArrayList<>(text);
    for (int token : slid.tokens()) {
      if (seen.size() > 200) {
        List<Integer> shorter = new ArrayList<>(seen.subList(0, keep));
        shorter.addAll(seen.subList(seen.size() - (200 - keep) / 2, seen.size()));
        seen = shorter;
        int[] ids = seen.stream().mapToInt(Integer::intValue).toArray();
        assertThat(
                model
                    .prompt(ids)
                    .sampling(s -> s.withTemperature(0).with(new LogitBias(noEnd())))
                    .maxTokens(1)
                    .generate()
                    .tokens())
            .containsExactly(token);
      }
      seen.add(token);
    }
    assertThat(request.generate().finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
  }

  @Test
  void guessesAndSlidingGoTogether() {
    GenerationRequest request =
        model
            .prompt("one two one two one two")
            .sampling(s -> s.withTemperature(0).with(new LogitBias(noEnd())))
            .maxTokens(500)
            .overflow(ContextOverflow.slide());
    assertThat(request.speculation(Speculation.promptLookup()).generate().tokens())
        .isEqualTo(request.generate().tokens());
  }

  @Test
  void aSlidingConversationKeepsItsSystemMessageAndTheLastTurns() {
    try (ChatSession chat =
        model
            .chat()
            .system("Be a cat.")
            .temperature(0)
            .maxTokens(20)
            .overflow(ContextOverflow.slide())
            .open()) {
      for (int i = 0; i < 12; i++) {
        chat.send("This is message number " + i);
        List<Message> messages = chat.conversation().messages();
        assertThat(messages.getFirst()).isEqualTo(Message.system("Be a cat."));
        assertThat(messages.get(1).role()).isEqualTo(Role.USER);
        assertThat(messages.get(messages.size() - 2).text()).endsWith("number " + i);
      }
      assertThat(chat.conversation().messages()).hasSizeLessThan(20);
      chat.rewind(chat.conversation().messages().size() - 2);
      assertThat(chat.send("Once more").tokens()).isNotEmpty();
    }
  }

  @Test
  void anAnswerThatFillsTheContextSlides() {
    try (ChatSession chat =
        model
            .chat()
            .system("Be a cat.")
            .sampling(s -> s.withTemperature(0).with(new LogitBias(noEnd())))
            .maxTokens(400)
            .overflow(ContextOverflow.slide())
            .open()) {
      assertThat(chat.send("Talk.").tokens()).hasSize(400);
      assertThat(chat.send("Again.").tokens()).hasSize(400);
    }
  }

  @Test
  void aFunctionMayShortenTheConversation() {
    try (ChatSession chat =
        model
            .chat()
            .temperature(0)
            .maxTokens(20)
            .overflow(
                new ContextOverflow.Shorten(
                    conversation ->
                        conversation.withMessages(
                            List.of(
                                Message.system("Summary."), conversation.messages().getLast()))))
            .open()) {
      for (int i = 0; i < 8; i++) {
        chat.send("This is message number " + i);
      }
      assertThat(chat.conversation().messages().getFirst()).isEqualTo(Message.system("Summary."));
      assertThatThrownBy(() -> chat.send("long ".repeat(300)))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("context of 200 tokens");
    }
  }

  private static Map<Integer, Float> noEnd() {
    Map<Integer, Float> bias = new HashMap<>();
    for (int id = 0; id < model.tokenizer().vocabularySize(); id++) {
      if (model.tokenizer().isEndOfGeneration(id)) {
        bias.put(id, Float.NEGATIVE_INFINITY);
      }
    }
    return bias;
  }
}
