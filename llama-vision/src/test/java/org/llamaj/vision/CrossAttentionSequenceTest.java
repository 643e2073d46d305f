package org.llamaj.vision;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaModel;
import org.llamaj.ModelInput;
import org.llamaj.Picture;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.vision.golden.GoldenVision;

/**
 * Sequences of Llama 3.2 Vision that are forked and cut back before, between and after pictures.
 */
class CrossAttentionSequenceTest {
  private static final int FIRST_PICTURE = 6;
  private static final int SECOND_PICTURE = 12;
  private static final int[] OTHER_END = {204, 97, 15, 230};

  private static LlamaModel model;
  private static ModelInput input;
  private static int[] ids;

  @BeforeAll
  static void load() {
    model =
        LlamaModel.builder(GoldenVision.root().resolve("mllama-tiny/a/hf"))
            .cacheType(CacheType.F32)
            .load();
    GoldenVision golden =
        GoldenVision.all("mllama-tiny/a/expected").stream()
            .filter(c -> c.toString().equals("image-two"))
            .findFirst()
            .orElseThrow();
    ids = golden.ints("input_ids");
    input = model.input(ids, golden.images().stream().map(Picture::of).toList());
    input.encode(() -> false);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void forksAgreeWithWhatIsReadAnew() {
    for (int at : new int[] {3, FIRST_PICTURE + 1, 9, SECOND_PICTURE, SECOND_PICTURE + 1}) {
      try (Sequence sequence = model.transformer().newSequence()) {
        read(sequence, 0, at);
        try (Sequence fork = sequence.fork()) {
          float[] original = read(sequence, at, ids.length);
          float[] forked = read(fork, OTHER_END);
          assertSame(forked, anew(at, OTHER_END), "a fork at " + at);
          assertSame(original, anew(ids.length), "what was forked at " + at);
        }
      }
    }
  }

  @Test
  void aForkOutlivesWhatItWasForkedFrom() {
    Sequence sequence = model.transformer().newSequence();
    read(sequence, 0, SECOND_PICTURE);
    try (Sequence fork = sequence.fork()) {
      sequence.close();
      assertSame(read(fork, SECOND_PICTURE, ids.length), anew(ids.length), "the fork");
    }
  }

  @Test
  void cutBackAndReadAgain() {
    try (Sequence sequence = model.transformer().newSequence()) {
      read(sequence, 0, ids.length);
      for (int at : new int[] {15, SECOND_PICTURE, 9, FIRST_PICTURE, 3}) {
        assertThat(sequence.truncate(at)).isEqualTo(at);
        assertSame(read(sequence, OTHER_END), anew(at, OTHER_END), "cut back to " + at);
        sequence.truncate(at);
        assertSame(read(sequence, at, ids.length), anew(ids.length), "again from " + at);
      }
    }
  }

  @Test
  void picturesMatterFromTheirPlacesOn() {
    // Otherwise the tests above would show nothing.
    int[] words = Arrays.copyOfRange(ids, FIRST_PICTURE + 1, SECOND_PICTURE);
    try (Sequence blind = model.transformer().newSequence()) {
      read(blind, Arrays.copyOf(ids, FIRST_PICTURE + 1));
      float[] without = read(blind, words);
      float[] with = anew(SECOND_PICTURE);
      assertThat(distance(without, with)).isGreaterThan(0.1);
    }
    Picture other = Picture.of(GoldenVision.root().resolve("llama4-preprocess/images/rgba.png"));
    ModelInput changed = model.input(Arrays.copyOf(ids, SECOND_PICTURE), List.of(other));
    changed.encode(() -> false);
    try (Sequence sequence = model.transformer().newSequence()) {
      float[] logits = read(sequence, changed, 0, SECOND_PICTURE);
      assertThat(distance(logits, anew(SECOND_PICTURE))).isGreaterThan(0.1);
    }
  }

  /** Reads a part of the input; logits after its last token. */
  private static float[] read(Sequence sequence, int from, int to) {
    return read(sequence, input, from, to);
  }

  private static float[] read(Sequence sequence, ModelInput what, int from, int to) {
    Batch batch = model.transformer().newBatch();
    for (int i = from; i < to; i++) {
      what.add(batch, sequence, i);
    }
    return logits(batch);
  }

  private static float[] read(Sequence sequence, int[] words) {
    Batch batch = model.transformer().newBatch();
    for (int id : words) {
      batch.add(sequence, id);
    }
    return logits(batch);
  }

  private static float[] logits(Batch batch) {
    batch.wantLogits();
    model.transformer().forward(batch);
    return batch.logits(0);
  }

  /** The beginning of the input in a new sequence. */
  private static float[] anew(int count) {
    try (Sequence sequence = model.transformer().newSequence()) {
      return read(sequence, 0, count);
    }
  }

  private static float[] anew(int count, int[] end) {
    try (Sequence sequence = model.transformer().newSequence()) {
      read(sequence, 0, count);
      return read(sequence, end);
    }
  }

  private static void assertSame(float[] found, float[] expected, String what) {
    GoldenVision.assertClose(found, expected, 1e-4, what);
  }

  private static double distance(float[] a, float[] b) {
    double worst = 0;
    for (int i = 0; i < a.length; i++) {
      worst = Math.max(worst, Math.abs(a[i] - b[i]));
    }
    return worst;
  }
}
