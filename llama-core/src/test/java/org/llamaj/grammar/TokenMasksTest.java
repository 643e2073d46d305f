package org.llamaj.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.sampling.Candidates;
import org.llamaj.tokenizer.SpecialText;
import org.llamaj.tokenizer.StreamingDecoder;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.chat.ToolDefinition;
import tools.jackson.databind.JsonNode;

/** Masks and completion with real vocabularies, on all grammars of the reference data. */
class TokenMasksTest {
  private static final List<Tokenizer> TOKENIZERS =
      List.of(tokenizer("rope-linear-F32"), tokenizer("llama2-spm-F32"));

  private static Tokenizer tokenizer(String name) {
    try {
      Path file =
          Path.of(TokenMasksTest.class.getResource("/golden/text/" + name + "/model.gguf").toURI());
      try (LlamaModel model = LlamaModel.builder(file).threads(1).load()) {
        return model.tokenizer();
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static Stream<JsonNode> cases() throws IOException {
    return GoldenGrammarTest.cases().filter(c -> !c.get("kind").asString().equals("gbnf_invalid"));
  }

  private static Grammar grammar(JsonNode golden) {
    return golden.get("kind").asString().equals("gbnf")
        ? Grammar.gbnf(golden.get("grammar").asString())
        : Grammar.jsonSchema(golden.get("schema").toString());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void masksHoldTheTokensThatTheGrammarAllows(JsonNode golden) {
    assertMasks(grammar(golden), 25);
  }

  /** Places that differ in how often something has come, and places in free text. */
  @Test
  void masksOfPlacesThatAreAlikeDiffer() {
    Map<String, Object> text = Map.of("type", "string", "minLength", 5, "maxLength", 40);
    assertMasks(Grammar.jsonSchema(text), 60);
    assertMasks(Grammar.jsonSchema(Map.of("type", "array", "items", text, "maxItems", 30)), 80);
    assertMasks(
        Grammar.gbnf(
            "root ::= (\"a\" [b-z]{2,30} \" \" | \"a\" [ a-y]{10,200} \"z\"){3,90} [a-c]{70,99}"),
        90);
    Map<String, Object> arguments = Map.of("properties", Map.of("name", text));
    List<ToolDefinition> tools =
        List.of(new ToolDefinition("a", "", arguments), new ToolDefinition("find", "", arguments));
    assertMasks(Grammar.toolCalls(tools, List.of("brave_search")), 60);
    assertMasks(Grammar.toolCalls(tools, List.of("code_interpreter")), 60);
  }

  private static void assertMasks(Grammar grammar, int steps) {
    Random random = new Random(1);
    for (Tokenizer tokenizer : TOKENIZERS) {
      TokenMasks masks = new GrammarCompiler(tokenizer).compile(grammar);
      TokenTrie trie = masks.trie();
      for (int walk = 0; walk < 3; walk++) {
        State state = masks.space().start();
        for (int step = 0; step < steps && state.tops().length > 0; step++) {
          TokenMask mask = masks.mask(state);
          List<Integer> allowed = new ArrayList<>();
          for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            boolean expected =
                tokenizer.isEndOfGeneration(id)
                    ? state.complete()
                    : trie.bytes(id).length > 0 && !state.next(trie.bytes(id), 0).isDead();
            assertThat(mask.contains(id)).as("token %d", id).isEqualTo(expected);
            if (expected && !trie.isEnd(id)) {
              allowed.add(id);
            }
          }
          assertThat(mask.count())
              .isEqualTo(allowed.size() + (state.complete() ? ends(tokenizer) : 0));
          if (allowed.isEmpty()) {
            break;
          }
          state = state.next(trie.bytes(allowed.get(random.nextInt(allowed.size()))), 0);
        }
      }
    }
  }

  private static int ends(Tokenizer tokenizer) {
    return (int)
        IntStream.range(0, tokenizer.vocabularySize()).filter(tokenizer::isEndOfGeneration).count();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void textsAreCompleteAtEveryLimit(JsonNode golden) {
    Random random = new Random(2);
    for (Tokenizer tokenizer : TOKENIZERS) {
      Grammar grammar = grammar(golden);
      TokenMasks masks = new GrammarCompiler(tokenizer).compile(grammar);
      int enough = masks.begin().enoughTokens();
      for (int limit = enough; limit < enough + 12; limit++) {
        String text = generate(masks, tokenizer, limit, random);
        assertThat(grammar.accepts(text)).as("%d tokens: %s", limit, text).isTrue();
      }
      if (enough > 0) {
        int tooFew = enough - 1;
        TokenConstraint constraint = masks.begin();
        if (masks.space().start().shortest() > tooFew) {
          assertThatThrownBy(() -> constraint.limit(tooFew))
              .isInstanceOf(GrammarException.class)
              .hasMessageContaining("at least %d tokens".formatted(enough));
        }
      }
    }
  }

  private static String generate(TokenMasks masks, Tokenizer tokenizer, int limit, Random random) {
    TokenConstraint constraint = masks.begin();
    constraint.limit(limit);
    Candidates candidates = new Candidates(tokenizer.vocabularySize());
    StreamingDecoder decoder = tokenizer.streamingDecoder(SpecialText.SKIP);
    StringBuilder text = new StringBuilder();
    for (int left = limit; left > 0 && !constraint.isDone(); left--) {
      float[] logits = new float[tokenizer.vocabularySize()];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = 8 * random.nextFloat() + tokenizer.bytes(i).length;
      }
      candidates.reset(logits.clone());
      constraint.narrow(candidates);
      int token = candidates.draw(random.nextDouble());
      if (!constraint.fits(token, left)) {
        candidates.reset(logits);
        constraint.narrowToFit(candidates, left);
        token = candidates.draw(random.nextDouble());
      }
      assertThat(constraint.fits(token, left)).isTrue();
      if (tokenizer.isEndOfGeneration(token)) {
        break;
      }
      constraint.accept(token, left - 1);
      text.append(decoder.accept(token));
    }
    return text.append(decoder.finish()).toString();
  }
}
