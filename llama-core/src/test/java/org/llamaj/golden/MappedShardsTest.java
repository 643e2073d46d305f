package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/** Weights of a model in several of Meta's files are used where they lie: no copy on any heap. */
class MappedShardsTest {
  private static final int FILES = 2;
  private static final int TRIES = 20;
  private static final int WIDTH = 1024;
  private static final int HIDDEN = 8192;
  private static final int VOCABULARY = 400;
  private static final long WEIGHTS = 2L * (4L * WIDTH * WIDTH + 3L * WIDTH * HIDDEN);

  @TempDir Path directory;

  @Test
  void nothingIsCopied() throws IOException {
    Path status = Path.of("/proc/self/status");
    assumeTrue(Files.isReadable(status), "the system does not tell");
    write();
    run("scalar"); // classes
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (String kernels : GoldenAssertions.usableKernels()) {
      run(kernels);
      long read = 0;
      long copied = Long.MAX_VALUE;
      // The JVM's compilers and collectors take memory, the system takes some back: now and then.
      for (int i = 0; i < TRIES && (read < WEIGHTS * 9 / 10 || copied > WEIGHTS / 2); i++) {
        long allocated = thread.getCurrentThreadAllocatedBytes();
        try (LlamaModel model = load(kernels)) {
          assertThat(thread.getCurrentThreadAllocatedBytes() - allocated).isLessThan(WEIGHTS / 10);
          long mapped = pages(status, "RssFile");
          long own = pages(status, "RssAnon");
          forward(model);
          read = Math.max(read, pages(status, "RssFile") - mapped);
          copied = Math.min(copied, pages(status, "RssAnon") - own);
        }
      }
      assertThat(read)
          .as("weights read from the file by %s", kernels)
          .isGreaterThan(WEIGHTS * 9 / 10);
      assertThat(copied).as("memory that %s took", kernels).isLessThan(WEIGHTS / 2);
    }
  }

  private void run(String kernels) {
    try (LlamaModel model = load(kernels)) {
      forward(model);
    }
  }

  private LlamaModel load(String kernels) {
    return LlamaModel.builder(directory)
        .kernels(kernels)
        .cacheType(CacheType.F32)
        .contextLength(64)
        .batchSize(16)
        .threads(2)
        .load();
  }

  private static void forward(LlamaModel model) {
    try (Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      for (int token = 1; token < 5; token++) batch.add(sequence, token).wantLogits();
      model.transformer().forward(batch);
    }
  }

  /** Bytes of the process that are in memory, of a kind. */
  private static long pages(Path status, String kind) throws IOException {
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith(kind + ":"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  private void write() throws IOException {
    for (int file = 0; file < FILES; file++) {
      String layer = "layers.0.";
      TorchFile torch = new TorchFile();
      matrix(torch, "tok_embeddings", VOCABULARY / FILES, WIDTH);
      for (String name : new String[] {"wq", "wk", "wv"}) {
        matrix(torch, layer + "attention." + name, WIDTH / FILES, WIDTH);
      }
      matrix(torch, layer + "attention.wo", WIDTH, WIDTH / FILES);
      matrix(torch, layer + "feed_forward.w1", HIDDEN / FILES, WIDTH);
      matrix(torch, layer + "feed_forward.w2", WIDTH, HIDDEN / FILES);
      matrix(torch, layer + "feed_forward.w3", HIDDEN / FILES, WIDTH);
      matrix(torch, "output", VOCABULARY / FILES, WIDTH);
      for (String norm : new String[] {layer + "attention_norm", layer + "ffn_norm", "norm"}) {
        torch.add(norm + ".weight", "BFloat16Storage", new long[] {WIDTH}, new byte[2 * WIDTH]);
      }
      Files.write(directory.resolve("consolidated.%02d.pth".formatted(file)), torch.bytes());
    }
    Files.writeString(
        directory.resolve("params.json"),
        """
        {"dim":%d,"n_layers":1,"n_heads":8,"norm_eps":1e-5,"vocab_size":-1}
        """
            .formatted(WIDTH));
    Path small = GoldenCase.all("text", MappedShardsTest.class).getFirst().model();
    try (Checkpoint model = Checkpoint.open(small)) {
      Files.write(directory.resolve("tokenizer.model"), MetaForm.vocabulary(model.metadata()));
    }
  }

  private static void matrix(TorchFile torch, String name, int rows, int columns) {
    byte[] values = new byte[2 * rows * columns];
    torch.add(name + ".weight", "BFloat16Storage", new long[] {rows, columns}, values);
  }
}
