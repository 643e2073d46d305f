package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.llamaj.golden.GoldenAssertions.logits;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.synth.ModelShape;
import org.llamaj.checkpoint.synth.ModelSynthesizer;
import org.llamaj.golden.GgufEdit;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;

/** The cache of a model whose layers keep only their chunk: three of four, 320 tokens each. */
class ChunkedCacheTest {
  private static final int CHUNK = 320;
  private static final int LAYERS = 4;
  private static final int KV_DIM = 2 * 16;
  private static final int VOCABULARY = 512;
  private static final ModelShape SHAPE =
      new ModelShape(
          "chunked", "llama4", 64, LAYERS, 4, 2, 16, 96, VOCABULARY, 4096, 5e5, 1, true, 0, 0, 0);

  @TempDir private static Path folder;
  private static Path file;

  private final int[] tokens = new Random(3).ints(1500, 0, VOCABULARY - 64).toArray();

  @BeforeAll
  static void synthesize() {
    Path plain = folder.resolve("plain.gguf");
    new ModelSynthesizer(SHAPE, FileType.F32, 7).write(plain, (_, _) -> {});
    file =
        new GgufEdit()
            .set("llama4.attention.sliding_window", CHUNK)
            .write(plain, folder.resolve("chunked.gguf"));
  }

  @Test
  void layersWithChunksKeepNoMoreThanTheirChunk() {
    int batch = 50;
    try (LlamaModel model = load();
        Sequence sequence = model.transformer().newSequence()) {
      logits(model, sequence, tokens, batch, tokens.length);
      long perToken = 2L * KV_DIM * CacheType.F32.bytes();
      int page = AttentionShape.PAGE_TOKENS;
      long global = Math.ceilDiv(tokens.length, page);
      long chunked = Math.ceilDiv(CHUNK + PagePool.ROLLBACK_TOKENS + batch, page) + 1;
      assertThat(model.transformer().cacheBytes())
          .isGreaterThanOrEqualTo(perToken * (tokens.length + 3L * CHUNK))
          .isLessThanOrEqualTo(perToken * page * (global + 3 * chunked));
      assertThat(model.transformer().cachePagesInUse())
          .isEqualTo(global + Math.ceilDiv(tokens.length - 3 * CHUNK, page));
    }
  }

  @Test
  void droppedPagesAreNotMissed() {
    try (LlamaModel model = load()) {
      float[][] atOnce = logits(model, tokens, tokens.length).toArray(float[][]::new);
      float[][] inPieces = logits(model, tokens, 7).toArray(float[][]::new);
      for (int row = 0; row < atOnce.length; row++) {
        assertThat(inPieces[row]).as("row %d", row).containsExactly(atOnce[row], within(1e-4f));
      }
    }
  }

  @Test
  void theLastTokensCanBeTakenBackAcrossTheBorderOfAChunk() {
    int length = 2 * CHUNK + 100;
    int back = 2 * CHUNK - 30;
    try (LlamaModel model = load();
        Sequence sequence = model.transformer().newSequence()) {
      logits(model, sequence, Arrays.copyOf(tokens, length), 64, length);
      assertThat(sequence.truncate(back)).isEqualTo(back);
      assertContinues(model, sequence);
    }
  }

  @Test
  void goingBackToAnEarlierChunkLeadsToItsBeginning() {
    try (LlamaModel model = load();
        Sequence sequence = model.transformer().newSequence()) {
      logits(model, sequence, tokens, 64, tokens.length);
      assertThat(sequence.truncate(2 * CHUNK + 9)).isEqualTo(2 * CHUNK);
      assertThat(sequence.length()).isEqualTo(2 * CHUNK);
      assertContinues(model, sequence);
    }
  }

  @Test
  void aClosedSequenceGivesAllPagesBack() {
    try (LlamaModel model = load()) {
      Sequence sequence = model.transformer().newSequence();
      logits(model, sequence, tokens, 64, tokens.length);
      sequence.close();
      assertThat(model.transformer().cachePagesInUse()).isZero();
    }
  }

  @Test
  void pagesOfAllLayersAreSavedAsLongAsNoneIsDropped() throws IOException {
    try (LlamaModel model = load();
        Sequence sequence = model.transformer().newSequence();
        Sequence restored = model.transformer().newSequence();
        Sequence empty = model.transformer().newSequence()) {
      logits(model, sequence, Arrays.copyOf(tokens, CHUNK + 100), 64, 0);
      restored.restore(saved(sequence));
      assertThat(restored.length()).isEqualTo(CHUNK + 64);
      assertContinues(model, restored);
      int[] more = Arrays.copyOfRange(tokens, CHUNK + 100, 2 * CHUNK);
      logits(model, sequence, more, 64, 0);
      empty.restore(saved(sequence));
      assertThat(empty.length()).isZero();
    }
  }

  private static DataInputStream saved(Sequence sequence) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    sequence.save(new DataOutputStream(bytes), sequence.length());
    return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
  }

  /** The sequence goes on like one that has only ever seen what it holds. */
  private void assertContinues(LlamaModel model, Sequence sequence) {
    int from = sequence.length();
    float[][] expected = logits(model, tokens, tokens.length).toArray(float[][]::new);
    int[] rest = Arrays.copyOfRange(tokens, from, tokens.length);
    float[][] found = logits(model, sequence, rest, 64, 0).toArray(float[][]::new);
    for (int row = 0; row < rest.length; row++) {
      assertThat(found[row]).as("row %d", row).containsExactly(expected[from + row], within(1e-4f));
    }
  }

  private static LlamaModel load() {
    return LlamaModel.builder(file)
        .kernels("scalar")
        .cacheType(CacheType.F32)
        .contextLength(2000)
        .batchSize(1500)
        .threads(2)
        .load();
  }
}
