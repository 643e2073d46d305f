package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

class LogitsCommandTest {
  private static final int VOCABULARY = 2048;

  /** Of F32 arithmetic; a cache in F16 would be off by 100 times as much. */
  private static final float TOLERANCE = 2e-4f;

  @TempDir Path folder;

  @Test
  void writesARowForEachToken() throws IOException {
    int[] ids = IntStream.range(0, 70).map(i -> i * 29 % VOCABULARY).toArray();
    float[][] expected = logitsOneByOne(ids);

    Path out = folder.resolve("logits.f32");
    Run run =
        Run.of(
            "logits", "--tokens", joined(ids, ","), "--out", out.toString(), "--kernels", "scalar");

    assertThat(run.status()).isZero();
    assertThat(run.out()).isEmpty();
    assertThat(out).hasSize(4L * VOCABULARY * ids.length);
    float[] found = floats(out);
    for (int row = 0; row < ids.length; row++) {
      for (int i = 0; i < VOCABULARY; i += 97) {
        assertThat(found[row * VOCABULARY + i]).isCloseTo(expected[row][i], within(TOLERANCE));
      }
    }
  }

  @Test
  void writesTheLastRowsOnly() throws IOException {
    int[] ids = IntStream.range(0, 45).map(i -> i * 31 % VOCABULARY).toArray();
    float[][] expected = logitsOneByOne(ids);

    Path tokens = Files.writeString(folder.resolve("ids.json"), "[" + joined(ids, ", ") + "]\n");
    Path out = Files.writeString(folder.resolve("logits.f32"), "what was there before");
    Run run =
        Run.of(
            "logits",
            "--tokens-file",
            tokens.toString(),
            "--last",
            "2",
            "--out",
            out.toString(),
            "--kernels",
            "scalar");

    assertThat(run.status()).isZero();
    assertThat(out).hasSize(4L * VOCABULARY * 2);
    float[] found = floats(out);
    for (int i = 0; i < VOCABULARY; i++) {
      assertThat(found[i]).isCloseTo(expected[43][i], within(TOLERANCE));
      assertThat(found[VOCABULARY + i]).isCloseTo(expected[44][i], within(TOLERANCE));
    }
  }

  @Test
  void refusesWhatIsNoListOfIds() {
    assertFails("expected token ids, found 'x'", "--tokens", "1,x,3");
    assertFails("expected token ids, found '-1'", "--tokens", "1,-1");
    assertFails("expected token ids, found none", "--tokens", " ");
    assertFails("expected token ids from 0 to 2047, found 2048", "--tokens", "1,2048");
  }

  @Test
  void refusesMoreThanThereIs() {
    assertFails("--last: expected 1 to 3", "--tokens", "1,2,3", "--last", "4");
    String tooLong = joined(new int[9], ",");
    assertFails("expected at most 8 tokens", "--tokens", tooLong, "--context", "8");
  }

  private void assertFails(String message, String... arguments) {
    Path out = folder.resolve("none.f32");
    String[] all =
        IntStream.range(0, arguments.length + 3)
            .mapToObj(
                i ->
                    switch (i) {
                      case 0 -> "logits";
                      case 1 -> "--out";
                      case 2 -> out.toString();
                      default -> arguments[i - 3];
                    })
            .toArray(String[]::new);
    Run run = Run.of(all);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains(message).hasLineCount(1);
    assertThat(out).doesNotExist();
  }

  private static float[][] logitsOneByOne(int[] ids) {
    float[][] rows = new float[ids.length][];
    try (LlamaModel model = DemoModel.builder().kernels("scalar").cacheType(CacheType.F32).load();
        Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      for (int i = 0; i < ids.length; i++) {
        batch.clear();
        batch.add(sequence, ids[i]);
        batch.wantLogits();
        model.transformer().forward(batch);
        rows[i] = batch.logits(0).clone();
      }
    }
    return rows;
  }

  private static String joined(int[] ids, String separator) {
    return IntStream.of(ids).mapToObj(Integer::toString).collect(Collectors.joining(separator));
  }

  private static float[] floats(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    float[] floats = new float[bytes.remaining() / 4];
    bytes.asFloatBuffer().get(floats);
    return floats;
  }
}
