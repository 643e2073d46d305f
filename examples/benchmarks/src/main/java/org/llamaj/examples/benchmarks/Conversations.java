package org.llamaj.examples.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
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
import org.llamaj.SamplingOptions;
import org.llamaj.Speculation;
import org.llamaj.grammar.Grammar;
import org.llamaj.sampling.Candidates;
import org.llamaj.sampling.LogitBias;
import org.llamaj.sampling.SamplingContext;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * One text and many at once, texts held to a grammar, the second turn of a long conversation, and
 * guesses: what scheduler, masks, cache and speculative decoding cost, and are worth, on a model of
 * real size. The weights may be random.
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
   * @param args a GGUF file; which parts (one, many, grammar, turn, copy, draft), the first five by
   *     default; a draft model
   * @throws Exception if a thread fails
   */
  public static void main(String[] args) throws Exception {
    String parts = args.length > 1 ? args[1] : "one,many,grammar,turn,copy";
    try (LlamaModel model = load(Path.of(args[0]))) {
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
      if (parts.contains("grammar")) {
        measure.grammar();
      }
      if (parts.contains("turn")) {
        measure.secondTurn();
      }
      if (parts.contains("copy")) {
        measure.copies();
      }
      if (parts.contains("draft")) {
        measure.drafts(Path.of(args[2]));
      }
    }
  }

  private static LlamaModel load(Path file) {
    return LlamaModel.builder(file).threads(2).contextLength(4096).load();
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
    report("one text", request(0), 160);
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

  /** The same request with and without a grammar, in rounds that alternate. */
  private void grammar() throws Exception {
    Grammar schema = GrammarMaskBenchmark.schema(0);
    for (int round = 0; round < 4; round++) {
      report("free", request(0), 160);
      report("held to a schema", request(0).grammar(schema), 160);
    }
  }

  /** Tells what is done between forward passes. */
  private static void report(String name, GenerationRequest request, int tokens) throws Exception {
    GenerationStream stream = request.maxTokens(tokens).stream();
    stream.hasNext(); // the prompt is read
    Passes passes = Passes.of(() -> stream.readAll(_ -> {}));
    print(
        "%s: %d tokens, %.2f ms between passes, %.1f %% of the time",
        name, passes.count() + 1, passes.betweenMillis(), 100 * passes.between());
  }

  /** A turn as it comes, after a moment's rest, and one that was known before, in rounds. */
  private void secondTurn() throws Exception {
    int perWord = model.tokenizer().encode("word word word word word ").length / 5;
    String history = "word ".repeat(1990 / perWord);
    Message question = Message.user("And then?");
    try (ChatSession chat = model.chat().temperature(0).maxTokens(4).readAhead(false).open()) {
      chat.send(history);
      for (int round = 0; round < 8; round++) {
        turn("at once", chat, question);
        chat.prepare().get();
        turn("its frame read ahead", chat, question);
        chat.prepare(question).get();
        turn("all of it read ahead", chat, question);
      }
    }
    rowsAfter(2000);
  }

  private static void turn(String name, ChatSession chat, Message question) {
    long start = System.nanoTime();
    try (GenerationStream stream = chat.stream(question)) {
      long asked = System.nanoTime();
      stream.forEachRemaining(_ -> {});
      Generation answer = stream.result();
      Duration first = answer.timings().tokenTimes().getFirst().plusNanos(asked - start);
      print(
          "turn after %d tokens, %s: first token after %.0f ms, %d tokens read",
          answer.promptTokens() - answer.timings().promptTokens(),
          name,
          first.toNanos() / 1e6,
          answer.timings().promptTokens());
    }
  }

  /** What it takes to read a few tokens after many: nothing but the forward pass. */
  private void rowsAfter(int history) {
    int[] ids = new Random(5).ints(history + 32, 1000, 30_000).toArray();
    try (Sequence empty = model.transformer().newSequence();
        Sequence full = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      read(batch, full, ids, history);
      for (int rows : new int[] {1, 8, 13, 29}) {
        double[] alone = new double[7];
        double[] after = new double[7];
        for (int round = 0; round < alone.length; round++) {
          empty.truncate(0);
          alone[round] = read(batch, empty, ids, rows);
          full.truncate(history);
          after[round] = read(batch, full, ids, rows);
        }
        Arrays.sort(alone);
        Arrays.sort(after);
        print(
            "%d rows: %.0f ms at the start, %.0f ms after %d (medians of 7; best %.0f, %.0f)",
            rows, alone[3], after[3], history, alone[0], after[0]);
      }
    }
  }

  /** Milliseconds until the sequence holds so many more tokens, and the last one's logits. */
  private double read(Batch batch, Sequence sequence, int[] ids, int count) {
    long start = System.nanoTime();
    for (int done = 0; done < count; ) {
      batch.clear();
      int rows = Math.min(batch.capacity(), count - done);
      for (int i = 0; i < rows; i++) {
        batch.add(sequence, ids[sequence.length() + i]);
      }
      done += rows;
      if (done == count) {
        batch.wantLogits();
      }
      model.transformer().forward(batch);
    }
    return (System.nanoTime() - start) / 1e6;
  }

  private void copies() {
    int[] prompt = new Random(9).ints(160, 1000, 30_000).toArray();
    GenerationRequest copy =
        request(prompt).sampling(_ -> SamplingOptions.of(new Copying(prompt)).withTemperature(0));
    for (int round = 0; round < 3; round++) {
      speed("a copy, plain", copy);
      speed("a copy, looked up in the prompt", copy.speculation(Speculation.promptLookup()));
    }
  }

  private void drafts(Path draft) {
    try (LlamaModel small = load(draft)) {
      for (int round = 0; round < 3; round++) {
        speed("a text, plain", request(3));
        speed("a text, drafted", request(3).speculation(Speculation.draft(small)));
      }
    }
  }

  /** Makes a model of random weights copy its prompt, but for every tenth token. */
  private record Copying(int[] prompt) implements SamplingStep {
    @Override
    public Stage begin(SamplingContext context) {
      return new Stage() {
        private int count;

        @Override
        public void apply(Candidates candidates) {
          int index = count - prompt.length;
          int token = index % 10 == 9 ? 999 : prompt[index % prompt.length];
          candidates.setLogit(candidates.indexOf(token), 1000);
        }

        @Override
        public void accept(int token) {
          count++;
        }
      };
    }
  }

  private static void speed(String name, GenerationRequest request) {
    Generation text = request.maxTokens(128).generate();
    print(
        "%s: %.1f tokens/s, %d guesses, %d right",
        name,
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
