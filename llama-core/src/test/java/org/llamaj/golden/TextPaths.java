package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.llamaj.ChatBuilder;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.Speculation;
import org.llamaj.TokenProbability;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;

/**
 * All ways to the same text, in pairs: how the past came into the cache, and how the next tokens
 * are made. Each pair gives the tokens of a plain generation. That is exact on kernels whose
 * results do not depend on what else is in a batch. Others round one or a few rows in another way
 * than many: there, texts may part where the two most probable tokens are as good as equal, and
 * nowhere else.
 */
public final class TextPaths {
  private static final int TOKENS = 24;

  private static final String QUESTION = "red fox blue fox red fox blue";

  /** Ratio of two probabilities (as a logarithm) that are as good as equal. */
  private static final double NEAR = 0.05;

  private TextPaths() {}

  /** How the past comes into the cache. */
  public enum Past {
    READ,
    CHUNKED,
    SHARED,
    FORKED,
    REWOUND,
    RESTORED,
    PREPARED
  }

  /** How the next tokens are made. */
  public enum Next {
    PLAIN,
    BATCHED,
    LOOKUP,
    DRAFT
  }

  /**
   * Asserts that a way to a text gives what a plain generation gives.
   *
   * @param exact whether a row's results do not depend on others; it does with {@code x86}, and in
   *     {@code vector} with types of less than 8 bits
   * @param folder for a saved session
   */
  public static void assertSameText(
      String kernels, Path file, boolean exact, Past past, Next next, Path folder)
      throws Exception {
    int chunk = past == Past.CHUNKED ? 7 : 512;
    try (LlamaModel model = load(kernels, file, 512);
        LlamaModel other = load(kernels, file, chunk)) {
      Expected expected = plain(model, exact);
      try (ChatSession session = session(other, past, speculation(next, model), folder)) {
        if (next == Next.BATCHED) {
          besideOthers(other, session, expected);
        } else {
          assertSame(expected, session);
        }
      }
    }
  }

  /**
   * What a plain conversation gives.
   *
   * @param past its first turn
   * @param answer to the question
   * @param exact whether no other answer is right
   */
  private record Expected(Conversation past, Generation answer, boolean exact) {}

  private static void assertSame(Expected expected, ChatSession session) {
    Conversation past = session.conversation();
    List<Integer> found = session.send(QUESTION).tokens();
    List<Integer> tokens = expected.answer.tokens();
    if (expected.exact) {
      assertThat(found).isEqualTo(tokens);
      return;
    }
    int common = 0;
    while (common < found.size() && found.get(common).equals(tokens.get(common))) {
      common++;
    }
    // A first turn that has parted already makes another question of the same one.
    if (common < tokens.size() && past.equals(expected.past)) {
      List<TokenProbability> best = expected.answer.logProbabilities().get(common).alternatives();
      assertThat(best.get(0).logProbability() - best.get(1).logProbability())
          .as("%s and %s part at %d", tokens, found, common)
          .isLessThan(NEAR);
    }
  }

  private static Expected plain(LlamaModel model, boolean exact) {
    try (ChatSession session =
        builder(model, Speculation.none()).options(o -> o.withLogProbabilities(2)).open()) {
      begin(session);
      return new Expected(session.conversation(), session.send(QUESTION), exact);
    }
  }

  /** A conversation of one turn, whose tokens are in the cache. */
  private static ChatSession session(
      LlamaModel model, Past past, Speculation speculation, Path folder) throws Exception {
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
      case PREPARED -> {
        ChatSession session = first(model, speculation);
        session.prepare(Message.user(QUESTION + " and another way")).get();
        session.prepare(Message.user(QUESTION)).get();
        yield session;
      }
    };
  }

  private static ChatSession first(LlamaModel model, Speculation speculation) {
    ChatSession session = builder(model, speculation).open();
    begin(session);
    return session;
  }

  private static void begin(ChatSession session) {
    session.send("Tell me of the red fox and the blue fox, of the red fox and the blue fox.");
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
  private static void besideOthers(LlamaModel model, ChatSession session, Expected expected)
      throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        all.add(
            threads.submit(
                () -> {
                  try (ChatSession other = first(model, Speculation.none())) {
                    assertSame(expected, other);
                  }
                }));
      }
      all.add(threads.submit(() -> assertSame(expected, session)));
      for (Future<?> one : all) {
        one.get();
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
