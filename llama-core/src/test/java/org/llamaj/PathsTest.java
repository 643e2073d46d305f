package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All ways to the same text, in pairs: how the past came into the cache, and how the next tokens
 * are made. Each pair gives the tokens of a plain generation, on kernels whose results do not
 * depend on what else is in a batch.
 */
class PathsTest {
  private static final int TOKENS = 24;

  @TempDir private static Path folder;

  /** How the past comes into the cache. */
  enum Past {
    READ,
    CHUNKED,
    SHARED,
    FORKED,
    REWOUND,
    RESTORED
  }

  /** How the next tokens are made. */
  enum Next {
    PLAIN,
    BATCHED,
    LOOKUP,
    DRAFT
  }

  static Stream<Arguments> pairs() {
    return Stream.of(
            Arguments.of("scalar", TestModels.small()),
            Arguments.of("scalar", TestModels.quantised()),
            Arguments.of("vector", TestModels.small()),
            Arguments.of("vector", TestModels.quantised()),
            Arguments.of("vector", TestModels.demo()))
        .flatMap(model -> Arrays.stream(Past.values()).map(past -> plus(model, past)))
        .flatMap(model -> Arrays.stream(Next.values()).map(next -> plus(model, next)));
  }

  private static Arguments plus(Arguments some, Object more) {
    return Arguments.of(Stream.concat(Arrays.stream(some.get()), Stream.of(more)).toArray());
  }

  @ParameterizedTest(name = "{0} {2} {3}")
  @MethodSource("pairs")
  void allPairsGiveTheSameTokens(String kernels, Path file, Past past, Next next) throws Exception {
    int chunk = past == Past.CHUNKED ? 7 : 512;
    try (LlamaModel model = load(kernels, file, 512);
        LlamaModel other = load(kernels, file, chunk)) {
      List<Integer> expected = plain(model);
      try (ChatSession session = session(other, past, speculation(next, model))) {
        if (next == Next.BATCHED) {
          besideOthers(other, session, expected);
        } else {
          assertThat(answer(session)).isEqualTo(expected);
        }
      }
    }
  }

  private static List<Integer> plain(LlamaModel model) {
    try (ChatSession session = first(model, Speculation.none())) {
      return answer(session);
    }
  }

  private static List<Integer> answer(ChatSession session) {
    return session.send("red fox blue fox red fox blue").tokens();
  }

  /** A conversation of one turn, whose tokens are in the cache. */
  private static ChatSession session(LlamaModel model, Past past, Speculation speculation) {
    return switch (past) {
      case READ, CHUNKED -> first(model, speculation);
      case SHARED -> {
        first(model, Speculation.none()).close();
        ChatSession session = first(model, speculation);
        yield session;
      }
      case FORKED -> {
        try (ChatSession origin = first(model, speculation)) {
          ChatSession fork = origin.fork();
          origin.send("another way");
          yield fork;
        }
      }
      case REWOUND -> {
        ChatSession session = first(model, speculation);
        session.send("another way");
        session.rewind(3);
        yield session;
      }
      case RESTORED -> {
        Path file = folder.resolve("restored.session");
        try (ChatSession origin = first(model, Speculation.none())) {
          origin.save(file);
        }
        yield builder(model, speculation).restore(file);
      }
    };
  }

  private static ChatSession first(LlamaModel model, Speculation speculation) {
    ChatSession session = builder(model, speculation).open();
    session.send("Tell me of the red fox and the blue fox, of the red fox and the blue fox.");
    return session;
  }

  private static ChatBuilder builder(LlamaModel model, Speculation speculation) {
    return model
        .chat()
        .system("You tell stories of red foxes and of blue foxes, and of nothing else.")
        .temperature(0)
        .maxTokens(TOKENS)
        .speculation(speculation);
  }

  private static Speculation speculation(Next next, LlamaModel draft) {
    return switch (next) {
      case PLAIN, BATCHED -> Speculation.none();
      case LOOKUP -> Speculation.promptLookup();
      case DRAFT -> Speculation.draft(draft);
    };
  }

  /** Other conversations read and stream in the same forward passes. */
  private static void besideOthers(LlamaModel model, ChatSession session, List<Integer> expected)
      throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<List<Integer>>> others = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        others.add(
            threads.submit(
                () -> {
                  try (ChatSession other = first(model, Speculation.none())) {
                    return answer(other);
                  }
                }));
      }
      Future<List<Integer>> mine = threads.submit(() -> answer(session));
      assertThat(mine.get()).isEqualTo(expected);
      for (Future<List<Integer>> other : others) {
        assertThat(other.get()).isEqualTo(expected);
      }
    }
  }

  private static LlamaModel load(String kernels, Path file, int batchSize) {
    return LlamaModel.builder(file)
        .kernels(kernels)
        .threads(1)
        .contextLength(600)
        .batchSize(batchSize)
        .load();
  }
}
