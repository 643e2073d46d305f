package org.llamaj.examples.features;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.llamaj.GenerationRequest;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaModel;
import org.llamaj.OverloadedException;
import org.llamaj.examples.demomodel.DemoModel;

/** Who is first where several wait, how many may wait, and how long. */
public final class Queueing {
  private static final String DOCUMENT = "The fox lived in a castle of stone. ".repeat(60);

  private Queueing() {}

  /**
   * Runs out of time, gives up, pushes ahead, and asks too much.
   *
   * @param args none
   * @throws Exception if a thread fails
   */
  public static void main(String[] args) throws Exception {
    try (LlamaModel model = DemoModel.builder().batchSize(64).queueLimit(12).load()) {
      GenerationRequest story = model.prompt("Once there was a").temperature(0).maxTokens(8);
      System.out.println("no time: " + story.timeLimit(Duration.ZERO).generate().finishReason());

      try (GenerationStream stream = story.stream()) {
        String first = stream.next();
        stream.cancel(); // from any thread
        stream.forEachRemaining(_ -> {});
        System.out.println("cancelled after" + first + ": " + stream.result().finishReason());
      }

      boolean overtakes = false;
      for (int round = 0; !overtakes; round++) { // again if its thread came too late
        AtomicInteger finished = new AtomicInteger();
        int before =
            beside(
                10,
                round,
                document -> read(model, document, finished),
                () -> urgent(story, finished));
        overtakes = before < 5;
      }
      System.out.println("an urgent one overtakes most of those before it");

      AtomicInteger refused = new AtomicInteger();
      for (int round = 0; refused.get() == 0; round++) { // again if they came one after the other
        beside(40, round, document -> tryToRead(model, document, refused), () -> 0);
      }
      System.out.println("where more than 12 wait at once, some are refused");
    }
  }

  private static void read(LlamaModel model, String document, AtomicInteger finished) {
    model.prompt(document).maxTokens(1).generate();
    finished.incrementAndGet();
  }

  /** How many others were finished before. */
  private static int urgent(GenerationRequest story, AtomicInteger finished) {
    story.priority(10).maxTokens(1).generate();
    return finished.get();
  }

  private static void tryToRead(LlamaModel model, String document, AtomicInteger refused) {
    try {
      model.prompt(document).maxTokens(1).generate();
    } catch (OverloadedException e) {
      refused.incrementAndGet();
    }
  }

  /** What is done with one document. */
  private interface Reader {
    void read(String document);
  }

  /** Reads documents on many threads, and does something else meanwhile. */
  private static int beside(int documents, int round, Reader reader, Callable<Integer> meanwhile)
      throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(documents + 1)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < documents; i++) {
        String document = round + "-" + i + DOCUMENT; // new ones: known ones need no reading
        all.add(threads.submit(() -> reader.read(document)));
      }
      int result = threads.submit(meanwhile).get();
      for (Future<?> one : all) {
        one.get();
      }
      return result;
    }
  }
}
