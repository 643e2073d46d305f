package org.llamaj.examples.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.GenerationRequest;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaModel;
import org.llamaj.Speculation;
import org.llamaj.sampling.LogitBias;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * Many conversations at once, the second turn of a long one, and guesses: what the scheduler, the
 * cache and speculative decoding are worth on a model of real size. The weights may be random.
 */
public final class Conversations {
  private static final int PROMPT = 16;
  private static final int TOKENS = 64;

  private final LlamaModel model;
  private final Map<Integer, Float> noEnd = new HashMap<>();

  private Conversations(LlamaModel model) {
    this.model = model;
    for (int id = 0; id < model.tokenizer().vocabularySize(); id++) {
      if (model.tokenizer().isEndOfGeneration(id)) {
        noEnd.put(id, Float.NEGATIVE_INFINITY);
      }
    }
  }

  /**
   * Measures and prints.
   *
   * @param args a GGUF file; which parts (one, many, turn, guess), all by default; a draft model
   * @throws Exception if a thread fails
   */
  public static void main(String[] args) throws Exception {
    String parts = args.length > 1 ? args[1] : "one,many,turn,guess";
    try (LlamaModel model =
        LlamaModel.builder(Path.of(args[0])).threads(2).contextLength(4096).load()) {
      Conversations measure = new Conversations(model);
      measure.together(1);
      if (parts.contains("one")) {
        measure.besideABareLoop();
      }
      if (parts.contains("many")) {
        for (int sequences : new int[] {1, 2, 4, 8, 1, 8}) {
          print("%d at once: %.1f tokens/s", sequences, measure.together(sequences));
        }
      }
      if (parts.contains("turn")) {
        measure.secondTurn();
      }
      if (parts.contains("guess")) {
        measure.guesses(args.length > 2 ? Path.of(args[2]) : null);
      }
    }
  }

  /** What scheduler, sampler and decoder cost one text alone, in rounds that alternate. */
  private void besideABareLoop() throws Exception {
    double[] ratios = new double[7];
    for (int round = 0; round < ratios.length; round++) {
      double stream = together(1);
      double bare = bareLoop();
      ratios[round] = stream / bare;
      print("one text: %.2f tokens/s, a bare loop %.2f", stream, bare);
    }
    Arrays.sort(ratios);
    print("one text runs at %.3f of a bare loop (median)", ratios[ratios.length / 2]);
  }

  /** Tokens per second of nothing but forward passes and the search for the largest logit. */
  private double bareLoop() {
    try (Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      new Random(0).ints(PROMPT, 1000, 30_000).forEach(id -> batch.add(sequence, id));
      batch.wantLogits();
      model.transformer().forward(batch);
      long start = System.nanoTime();
      for (int i = 0; i < TOKENS; i++) {
        float[] logits = batch.logits(0);
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
          if (logits[id] > logits[best]) {
            best = id;
          }
        }
        batch.clear();
        batch.add(sequence, best);
        batch.wantLogits();
        model.transformer().forward(batch);
      }
      return TOKENS * 1e9 / (System.nanoTime() - start);
    }
  }

  /** Tokens per second of all sequences, after their prompts. */
  private double together(int sequences) throws Exception {
    List<GenerationStream> streams = new ArrayList<>();
    for (int i = 0; i < sequences; i++) {
      GenerationStream stream = request(i).maxTokens(TOKENS + 1).stream();
      stream.hasNext(); // the prompt is read
      streams.add(stream);
    }
    long start = System.nanoTime();
    int tokens = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(sequences)) {
      List<Future<Generation>> results = new ArrayList<>();
      for (GenerationStream stream : streams) {
        results.add(threads.submit(() -> stream.readAll(_ -> {})));
      }
      for (Future<Generation> result : results) {
        tokens += result.get().tokens().size() - 1;
      }
    }
    return tokens * 1e9 / (System.nanoTime() - start);
  }

  private void secondTurn() {
    String history = "word ".repeat(1990);
    try (ChatSession chat = model.chat().temperature(0).maxTokens(4).open()) {
      chat.send(history);
      for (int turn = 0; turn < 5; turn++) {
        long start = System.nanoTime();
        try (GenerationStream stream = chat.stream(Message.user("And then?"))) {
          stream.hasNext();
          long end = System.nanoTime();
          stream.forEachRemaining(_ -> {});
          print(
              "turn after %d tokens: first piece after %.0f ms, %d tokens read",
              stream.result().promptTokens(),
              (end - start) / 1e6,
              stream.result().timings().promptTokens());
        }
      }
    }
  }

  private void guesses(Path draft) {
    int[] cycle = new Random(9).ints(24, 1000, 30_000).toArray();
    int[] prompt = new int[240];
    for (int i = 0; i < prompt.length; i++) {
      prompt[i] = cycle[i % cycle.length];
    }
    for (int round = 0; round < 2; round++) {
      report("plain", request(prompt), round);
      report("lookup", request(prompt).speculation(Speculation.promptLookup()), round);
    }
    if (draft != null) {
      try (LlamaModel small = LlamaModel.builder(draft).threads(2).contextLength(4096).load()) {
        for (int round = 0; round < 2; round++) {
          report("plain", request(3), round);
          report("draft", request(3).speculation(Speculation.draft(small)), round);
        }
      }
    }
  }

  private static void report(String name, GenerationRequest request, int round) {
    Generation text = request.maxTokens(96).generate();
    print(
        "%s, round %d: %.1f tokens/s, %d guesses, %d right",
        name,
        round,
        text.timings().generatedTokensPerSecond(),
        text.timings().guessedTokens(),
        text.timings().rightGuesses());
  }

  private GenerationRequest request(int seed) {
    return request(new Random(seed).ints(PROMPT, 1000, 30_000).toArray());
  }

  private GenerationRequest request(int[] prompt) {
    return model.prompt(prompt).sampling(s -> s.withTemperature(0).with(new LogitBias(noEnd)));
  }

  private static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
