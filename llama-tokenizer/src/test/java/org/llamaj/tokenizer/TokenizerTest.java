package org.llamaj.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What all tokenizers have in common. */
class TokenizerTest {
  static Stream<Tokenizer> tiny() {
    return Stream.of(TinyTokenizers.LLAMA_2, TinyTokenizers.LLAMA_3, TinyTokenizers.LLAMA_4);
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void decodingUndoesEncoding(Tokenizer tokenizer) {
    RandomText texts = new RandomText(1);
    for (int i = 0; i < 100_000; i++) {
      String text = texts.next();
      // To SentencePiece U+2581 is a space.
      String lossless = tokenizer == TinyTokenizers.LLAMA_2 ? text.replace('\u2581', ' ') : text;
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(lossless);
    }
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void streamingGivesTheSameTextInWholeCharacters(Tokenizer tokenizer) {
    Random random = new Random(2);
    for (int i = 0; i < 2_000; i++) {
      int[] ids = random.ints(random.nextInt(20), 0, tokenizer.vocabularySize()).toArray();
      for (SpecialText special : SpecialText.values()) {
        StreamingDecoder decoder = tokenizer.streamingDecoder(special);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
          text.append(decoder.accept(id));
        }
        text.append(decoder.finish());
        assertThat(text).as("%s", ids).hasToString(tokenizer.decode(ids, special));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void offsetsCoverTheTextInOrder(Tokenizer tokenizer) {
    RandomText texts = new RandomText(3);
    for (int i = 0; i < 5_000; i++) {
      String text = texts.next();
      Encoding encoding = tokenizer.encodeWithOffsets(text, SpecialTokens.all());
      assertThat(encoding.ids()).isEqualTo(tokenizer.encode(text, SpecialTokens.all()));
      int covered = 0;
      for (int t = 0; t < encoding.size(); t++) {
        assertThat(encoding.start(t)).as(text).isBetween(0, covered);
        assertThat(encoding.end(t)).as(text).isBetween(encoding.start(t), text.length());
        covered = Math.max(covered, encoding.end(t));
      }
      assertThat(covered).as(text).isEqualTo(text.length());
    }
  }

  @Test
  void offsetsAreThoseOfTheCharacters() {
    String text = "Mond\ud83d\ude42<|eot_id|>x";
    Encoding encoding =
        TinyTokenizers.LLAMA_3.encodeWithOffsets(text, SpecialTokens.of("<|eot_id|>"));
    List<String> pieces = new ArrayList<>();
    for (int t = 0; t < encoding.size(); t++) {
      pieces.add(text.substring(encoding.start(t), encoding.end(t)));
    }
    assertThat(pieces)
        .startsWith("Mond", "\ud83d\ude42")
        .endsWith("\ud83d\ude42", "<|eot_id|>", "x");
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void truncatedTextFitsAndIsTheBeginning(Tokenizer tokenizer) {
    RandomText texts = new RandomText(4);
    for (int i = 0; i < 3_000; i++) {
      String text = texts.next();
      int room = i % 12;
      String start = tokenizer.truncate(text, room);
      assertThat(text).startsWith(start);
      assertThat(tokenizer.countTokens(start)).isLessThanOrEqualTo(room);
      if (tokenizer.countTokens(text) <= room) {
        assertThat(start).isEqualTo(text);
      }
    }
    assertThat(tokenizer.truncate("Mond Mond", 100)).isEqualTo("Mond Mond");
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void manyTextsAtOnceAreEncodedAsOneByOne(Tokenizer tokenizer) {
    RandomText random = new RandomText(5);
    List<String> texts = Stream.generate(random::next).limit(3_000).toList();
    List<int[]> together = tokenizer.encodeAll(texts, SpecialTokens.none());
    for (int i = 0; i < texts.size(); i++) {
      assertThat(together.get(i)).isEqualTo(tokenizer.encode(texts.get(i)));
    }
  }

  @Test
  void onlyAllowedSpecialTokensAreRecognised() {
    Tokenizer tokenizer = TinyTokenizers.LLAMA_3;
    int eot = tokenizer.special("<|eot_id|>").orElseThrow();
    int bos = tokenizer.special("<|begin_of_text|>").orElseThrow();
    String text = "<|begin_of_text|>a<|eot_id|>";
    assertThat(tokenizer.encode(text)).doesNotContain(eot, bos);
    assertThat(tokenizer.encode(text, SpecialTokens.all())).contains(eot, bos);
    assertThat(tokenizer.encode(text, SpecialTokens.of("<|eot_id|>")))
        .contains(eot)
        .doesNotContain(bos);
    assertThat(tokenizer.specialTokens()).containsEntry("<|eot_id|>", eot);
    assertThat(tokenizer.special("<|no_such_token|>")).isEmpty();
  }

  @Test
  void skippedSpecialTokensLeaveNoText() {
    Tokenizer tokenizer = TinyTokenizers.LLAMA_2;
    int[] ids = tokenizer.encodePrompt("the Mond", SpecialTokens.none());
    assertThat(tokenizer.decode(ids)).isEqualTo("<s> the Mond");
    assertThat(tokenizer.decode(ids, SpecialText.SKIP)).isEqualTo("the Mond");
  }

  @Test
  void endsOfSequenceTurnAndMessageEndGeneration() {
    Tokenizer tokenizer = TinyTokenizers.LLAMA_3;
    for (String end : List.of("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")) {
      assertThat(tokenizer.isEndOfGeneration(tokenizer.special(end).orElseThrow())).isTrue();
    }
    assertThat(tokenizer.isEndOfGeneration(tokenizer.bos().orElseThrow())).isFalse();
    assertThat(tokenizer.isEndOfGeneration(0)).isFalse();
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void unpairedSurrogatesAreRefused(Tokenizer tokenizer) {
    for (String text : List.of("a\ud83d", "\ude42", "ab\ud83dc", "x".repeat(9000) + "\udc00")) {
      assertThatThrownBy(() -> tokenizer.encode(text))
          .isInstanceOf(TokenizerException.class)
          .hasMessageContaining("unpaired surrogate");
    }
    assertThatThrownBy(() -> tokenizer.encode("ab\ud83dc")).hasMessageContaining("index 2");
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void idsThatTheVocabularyDoesNotHaveAreRefused(Tokenizer tokenizer) {
    for (int id : new int[] {-1, tokenizer.vocabularySize(), Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> tokenizer.decode(id))
          .isInstanceOf(TokenizerException.class)
          .hasMessageContaining("No token has the id " + id);
      assertThatThrownBy(() -> tokenizer.bytes(id)).isInstanceOf(TokenizerException.class);
      assertThatThrownBy(() -> tokenizer.streamingDecoder().accept(id))
          .isInstanceOf(TokenizerException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void blocksOfLongTextsFitTogether(Tokenizer tokenizer) {
    // Surrogate pairs and spaces fall on all ends of the blocks that texts are worked on in.
    for (String unit : List.of("\ud83d\ude42", "word ", "aB1 \n", "\u4e2d")) {
      String text = "x" + unit.repeat(500_000 / unit.length());
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void oneLongWordTakesNoQuadraticTime(Tokenizer tokenizer) {
    String word = "a".repeat(1_000_000);
    assertThat(tokenizer.decode(tokenizer.encode(word))).isEqualTo(word);
  }

  @Test
  void aHundredMegabytesFitIntoTheHeapOfTheTests() {
    String text = "the world and so on\n".repeat(5_000_000);
    assertThat(TinyTokenizers.LLAMA_3.countTokens(text))
        .isEqualTo(5_000_000 * TinyTokenizers.LLAMA_3.countTokens("the world and so on\n"));
  }
}
