package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.tokenizer.chat.Message;

/**
 * 64 threads that generate, chat, cancel, fork, prepare, go back, save, restore and leave, at
 * random, while garbage is made and collected. Some seconds, or {@code -Dstress.seconds}: no wrong
 * text, no deadlock, and at the end nothing is left.
 */
@Timeout(3600)
class ConcurrencyStressTest {
  private static final int THREADS = 64;
  private static final Duration TIME = Duration.ofSeconds(Integer.getInteger("stress.seconds", 5));

  @TempDir Path folder;

  @Test
  void nothingIsWrongOrLeftBehind() throws Exception {
    ThreadWatch watch = new ThreadWatch();
    Path file = Files.copy(TestModels.small(), folder.resolve("stressed.gguf"));
    LlamaModel model =
        LlamaModel.builder(file).kernels("scalar").contextLength(400).prefixCache(64 << 10).load();
    try (model;
        ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      Expected expected = Expected.of(model);
      long end = System.nanoTime() + TIME.toNanos();
      List<Future<Integer>> users = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        SplittableRandom random = new SplittableRandom(i);
        users.add(threads.submit(() -> use(model, expected, random, end)));
      }
      int rounds = 0;
      for (Future<Integer> user : users) {
        rounds += user.get(TIME.toSeconds() + 600, TimeUnit.SECONDS);
      }
      assertThat(rounds).isGreaterThanOrEqualTo(THREADS);
      assertThat(model.transformer().cachePagesInUse()).isZero();
    }
    watch.awaitNone("llamaj-");
    Path maps = Path.of("/proc/self/maps");
    assumeThat(maps).exists();
    assertThat(Files.readString(maps)).doesNotContain(file.toString());
  }

  @Test
  void closingTheModelEndsAllOfThem() throws Exception {
    for (int round = 0; round < 5; round++) {
      LlamaModel model =
          LlamaModel.builder(TestModels.small()).kernels("scalar").contextLength(400).load();
      Expected expected = Expected.of(model);
      try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
        List<Future<Integer>> users = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          SplittableRandom random = new SplittableRandom(i);
          users.add(
              threads.submit(
                  () -> {
                    try {
                      return use(model, expected, random, System.nanoTime() + 60_000_000_000L);
                    } catch (LlamaException e) {
                      assertThat(e).hasMessageContaining("closed");
                      return 0;
                    }
                  }));
        }
        Thread.sleep(20 + 50 * round);
        model.close();
        for (Future<Integer> user : users) {
          user.get(600, TimeUnit.SECONDS);
        }
      }
    }
  }

  /** What undisturbed requests give. */
  private record Expected(List<Integer> text, List<Integer> first, List<Integer> second) {
    static Expected of(LlamaModel model) {
      try (ChatSession chat = chat(model)) {
        return new Expected(
            request(model).generate().tokens(),
            chat.send("Who?").tokens(),
            chat.send("Why?").tokens());
      }
    }
  }

  private int use(LlamaModel model, Expected expected, SplittableRandom random, long end)
      throws Exception {
    int rounds = 0;
    do {
      switch (random.nextInt(8)) {
        case 0 -> assertThat(request(model).generate().tokens()).isEqualTo(expected.text());
        case 1 -> cancelled(model, expected, random);
        case 2 -> abandoned(model, random);
        case 3 -> conversation(model, expected, random);
        case 4 ->
            assertThat(request(model).speculation(Speculation.promptLookup()).generate().tokens())
                .isEqualTo(expected.text());
        case 5 -> saved(model, expected);
        case 6 -> garbage(random);
        default -> {
          Generation limited =
              request(model).timeLimit(Duration.ofMillis(random.nextInt(30))).generate();
          assertBegins(expected, limited);
        }
      }
      rounds++;
    } while (System.nanoTime() < end);
    return rounds;
  }

  private static void cancelled(LlamaModel model, Expected expected, SplittableRandom random)
      throws InterruptedException {
    GenerationStream stream = request(model).stream();
    Thread canceller =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    Thread.sleep(random.nextInt(20));
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                  stream.cancel();
                });
    Generation text = stream.readAll(_ -> {});
    canceller.join();
    assertBegins(expected, text);
  }

  private static void assertBegins(Expected expected, Generation text) {
    assertThat(text.tokens()).isEqualTo(expected.text().subList(0, text.tokens().size()));
  }

  private static void abandoned(LlamaModel model, SplittableRandom random) {
    try (GenerationStream stream = request(model).stream()) {
      for (int i = random.nextInt(4); i > 0 && stream.hasNext(); i--) {
        stream.next();
      }
    }
  }

  private static void conversation(LlamaModel model, Expected expected, SplittableRandom random) {
    try (ChatSession chat = chat(model)) {
      assertThat(chat.send("Who?").tokens()).isEqualTo(expected.first());
      try (ChatSession fork = chat.fork()) {
        if (random.nextBoolean()) {
          try (GenerationStream stream = chat.stream(Message.user("Where to?"))) {
            stream.hasNext();
          }
        }
        if (random.nextBoolean()) {
          fork.prepare(Message.user(random.nextBoolean() ? "Why?" : "Wherefore?"));
        }
        assertThat(fork.send("Why?").tokens()).isEqualTo(expected.second());
        fork.rewind(2 + 1);
        Future<?> read = fork.prepare();
        if (random.nextInt(4) == 0) {
          await(read);
        }
        assertThat(fork.send("Why?").tokens()).isEqualTo(expected.second());
      }
    }
  }

  /** Waits for what is done in idle time, if there is any. */
  private static void await(Future<?> read) {
    try {
      read.get(50, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      assertThat(e.getCause()).isInstanceOf(LlamaException.class).hasMessageContaining("closed");
    } catch (TimeoutException | CancellationException e) {
      // the model is busy, or closed
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void saved(LlamaModel model, Expected expected) throws IOException {
    Path file = Files.createTempFile(folder, "stress", ".session");
    try (ChatSession chat = chat(model)) {
      assertThat(chat.send("Who?").tokens()).isEqualTo(expected.first());
      chat.prepare(Message.user("Why?"));
      chat.save(file);
    }
    try (ChatSession restored = model.chat().temperature(0).maxTokens(6).restore(file)) {
      assertThat(restored.send("Why?").tokens()).isEqualTo(expected.second());
    } finally {
      Files.delete(file);
    }
  }

  /** Objects that die young and some that live a little, and now and then a whole collection. */
  private static void garbage(SplittableRandom random) {
    byte[][] some = new byte[64][];
    for (int i = 0; i < 256; i++) {
      some[i % some.length] = new byte[1 + random.nextInt(64 << 10)];
    }
    if (random.nextInt(16) == 0) {
      System.gc();
    }
  }

  private static ChatSession chat(LlamaModel model) {
    return model.chat().system("You are a fox.").temperature(0).maxTokens(6).open();
  }

  private static GenerationRequest request(LlamaModel model) {
    return model.prompt("the quick brown fox ".repeat(5)).temperature(0).maxTokens(12);
  }
}
