package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.llamaj.golden.GoldenAssertions.logits;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaModel;
import org.llamaj.ModelBuilder;

/** Sequences that begin alike share pages; what each reads is as if it were alone. */
class PrefixReuseTest {
  private final int[] tokens = new Random(5).ints(400, 1, 500).toArray();
  private LlamaModel model;
  private Transformer transformer;

  @BeforeEach
  void load() throws URISyntaxException {
    model = builder().load();
    transformer = model.transformer();
  }

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void whatASequenceHasReadIsFoundWhenItHasEnded() {
    read(tokens).close();
    assertThat(transformer.cachePagesInUse()).isZero();
    try (Sequence sequence = transformer.newSequence()) {
      assertThat(sequence.adopt(tokens, 399)).isEqualTo(384);
      assertThat(sequence.tokens()).isEqualTo(Arrays.copyOf(tokens, 384));
      assertContinues(sequence, tokens);
      assertThat(transformer.cachePagesInUse()).isEqualTo(7);
    }
    assertThat(transformer.cachePagesInUse()).isZero();
  }

  @Test
  void onlyTheCommonBeginningIsShared() {
    int[] other = tokens.clone();
    other[200] ^= 1;
    try (Sequence first = read(tokens);
        Sequence second = transformer.newSequence()) {
      assertThat(second.adopt(other, 400)).isEqualTo(192);
      assertContinues(second, other);
      assertThat(transformer.cachePagesInUse()).as("3 of 7 pages are shared").isEqualTo(11);
      first.truncate(390);
      assertContinues(first, tokens);
    }
  }

  @Test
  void sequencesThatReadTheSameAtOnceEndUpWithTheSamePages() {
    try (Sequence first = read(tokens);
        Sequence second = read(tokens)) {
      assertThat(transformer.cachePagesInUse()).isEqualTo(8);
      first.truncate(399);
      second.truncate(398);
      assertContinues(first, tokens);
      assertContinues(second, tokens);
    }
  }

  @Test
  void aBlockThatIsCutStaysAsItWasForOthers() {
    int[] other = tokens.clone();
    other[100] ^= 1;
    try (Sequence first = read(tokens)) {
      first.truncate(100);
      assertContinues(first, other);
      try (Sequence second = transformer.newSequence()) {
        assertThat(second.adopt(tokens, 400)).isEqualTo(384);
        assertContinues(second, tokens);
      }
    }
  }

  @Test
  void aForkSharesPagesAndGoesItsOwnWay() {
    int[] other = tokens.clone();
    for (int i = 300; i < 400; i++) {
      other[i] ^= 1;
    }
    Sequence origin = read(Arrays.copyOf(tokens, 300));
    try (Sequence fork = origin.fork()) {
      assertThat(transformer.cachePagesInUse()).isEqualTo(5);
      assertContinues(origin, tokens);
      origin.close();
      assertContinues(fork, other);
      try (Sequence second = fork.fork()) {
        second.truncate(300);
        assertContinues(second, tokens);
      }
    }
    assertThat(transformer.cachePagesInUse()).isZero();
  }

  @Test
  void nothingIsTakenOverBeyondWhatIsGiven() {
    try (Sequence sequence = read(Arrays.copyOf(tokens, 128))) {
      assertThat(sequence.adopt(new int[0], 0)).isEqualTo(128);
      assertThat(sequence.adopt(Arrays.copyOf(tokens, 70), 70)).isEqualTo(128);
      assertContinues(sequence, tokens);
    }
  }

  @Test
  void saltsDoNotMix() {
    read(tokens).close();
    try (Sequence adapted = transformer.newSequence(1)) {
      assertThat(adapted.adopt(tokens, 400)).isZero();
    }
  }

  @Test
  void aSequenceInTheMiddleOfABlockTakesOverWhatFollows() {
    try (Sequence begun = read(Arrays.copyOf(tokens, 100));
        Sequence whole = read(tokens)) {
      assertThat(begun.adopt(tokens, 399)).isEqualTo(384);
      assertContinues(begun, tokens);
      assertThat(whole.length()).isEqualTo(400);
    }
  }

  @Test
  void theOldestAreGivenUpBeyondTheBudget() throws URISyntaxException {
    long page;
    try (Sequence one = transformer.newSequence()) {
      logits(model, one, new int[] {1}, 1, 0);
      page = transformer.cacheBytes();
    }
    try (LlamaModel small = builder().prefixCache(3 * page).load()) {
      Random random = new Random(1);
      for (int i = 0; i < 20; i++) {
        try (Sequence sequence = small.transformer().newSequence()) {
          logits(small, sequence, random.ints(130, 1, 500).toArray(), 64, 130);
        }
        assertThat(small.transformer().cachePagesInUse()).isZero();
      }
      assertThat(small.transformer().cacheBytes()).isLessThanOrEqualTo(6 * page);
      int[] recent = random.ints(130, 1, 500).toArray();
      try (Sequence sequence = small.transformer().newSequence()) {
        logits(small, sequence, recent, 64, 130);
      }
      try (Sequence sequence = small.transformer().newSequence()) {
        assertThat(sequence.adopt(recent, 130)).isEqualTo(128);
      }
    }
    try (LlamaModel none = builder().prefixCache(0).load()) {
      for (int i = 0; i < 2; i++) {
        try (Sequence sequence = none.transformer().newSequence()) {
          assertThat(sequence.adopt(tokens, 400)).isZero();
          logits(none, sequence, tokens, 64, 400);
        }
      }
    }
  }

  private Sequence read(int[] ids) {
    Sequence sequence = transformer.newSequence();
    logits(model, sequence, ids, 50, ids.length);
    return sequence;
  }

  /** The sequence reads the rest of the tokens as one that reads them all by itself. */
  private void assertContinues(Sequence sequence, int[] ids) {
    int from = sequence.length();
    assertThat(sequence.tokens()).isEqualTo(Arrays.copyOf(ids, from));
    List<float[]> expected;
    try (LlamaModel alone = builder().load();
        Sequence fresh = alone.transformer().newSequence()) {
      expected = logits(alone, fresh, ids, 64, 0);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
    List<float[]> found = logits(model, sequence, Arrays.copyOfRange(ids, from, ids.length), 33, 0);
    for (int row = 0; row < found.size(); row++) {
      assertThat(found.get(row)).as("row %d", row).isEqualTo(expected.get(from + row));
    }
  }

  private static ModelBuilder builder() throws URISyntaxException {
    Path file =
        Path.of(
            PrefixReuseTest.class.getResource("/golden/text/rope-linear-F32/model.gguf").toURI());
    return LlamaModel.builder(file).kernels("scalar").threads(1).contextLength(1000);
  }
}
