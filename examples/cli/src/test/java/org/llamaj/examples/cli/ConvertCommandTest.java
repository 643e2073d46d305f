package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.tensor.ElementType;

class ConvertCommandTest {
  private static final String TOKENS = "1,17,300,44,5";

  @TempDir Path folder;

  private static Path reference(String name) {
    Path path = Path.of(System.getProperty("golden.dir", ""), name).normalize();
    assumeTrue(Files.exists(path), "no reference data in " + path);
    return path;
  }

  @Test
  void aDirectoryBecomesAFileWithTheSameLogits() throws Exception {
    Path directory = reference("../demo-model/hf");
    Path file = folder.resolve("model.gguf");
    Run run = convert(directory, file, "--type", "f32");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("model.gguf: ").contains("32.00 bits per weight");
    assertClose(logits(file), logits(directory));
    assertThat(convert(directory, file).err()).contains("--force replaces it");
    Run small = convert(directory, file, "--force", "--type", "q8_0", "--threads", "2");
    assertThat(small.status()).isZero();
    try (Checkpoint model = Checkpoint.open(file)) {
      assertThat(model.tensor("blk.0.attn_q.weight").type()).isEqualTo(ElementType.Q8_0);
    }
  }

  @Test
  void adaptersAreMergedInto() throws Exception {
    Path model = reference("text/llama32-bpe-F32/model.gguf");
    String adapter = reference("text/lora-scale1/adapter.gguf").toString();
    Path file = folder.resolve("merged.gguf");
    Run run = convert(model, file, "--type", "F32", "--lora", adapter + "=0.25", "--lora", adapter);
    assertThat(run.status()).isZero();
    float[] expected = logits(model, "--lora", adapter + "=0.25", "--lora", adapter);
    assertClose(logits(file), expected);
    Run wrong = convert(model, folder.resolve("x.gguf"), "--lora", model.toString());
    assertThat(wrong.status()).isOne();
    assertThat(wrong.err()).contains("expected adapter, found model");
  }

  @Test
  void whatIsNoModelIsRefused() {
    Run run = convert(folder, folder.resolve("out.gguf"));
    assertThat(run.status()).isOne();
    assertThat(run.err()).contains("expected a model");
    assertThat(folder).isEmptyDirectory();
  }

  private static Run convert(Path in, Path out, String... options) {
    String[] all = new String[options.length + 4];
    System.arraycopy(
        new String[] {"convert", in.toString(), "--out", out.toString()}, 0, all, 0, 4);
    System.arraycopy(options, 0, all, 4, options.length);
    return Run.of(all);
  }

  private float[] logits(Path model, String... options) throws Exception {
    Path out = folder.resolve("logits");
    String[] all = new String[options.length + 9];
    String[] common = {
      "logits",
      "-m",
      model.toString(),
      "--kernels",
      "scalar",
      "--tokens",
      TOKENS,
      "--out",
      out.toString()
    };
    System.arraycopy(common, 0, all, 0, 9);
    System.arraycopy(options, 0, all, 9, options.length);
    assertThat(Run.of(all).status()).isZero();
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(out)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / 4];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static void assertClose(float[] found, float[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    double largest = 0;
    for (int i = 0; i < found.length; i++) {
      largest = Math.max(largest, Math.abs(found[i] - expected[i]));
    }
    assertThat(largest).isLessThan(2e-4);
  }
}
