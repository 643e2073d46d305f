package org.llamaj.examples.features;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.llamaj.Generation;
import org.llamaj.GenerationRequest;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** The same text in all forms of streams; readers that are slow slow it down. */
public final class Publishing {
  private Publishing() {}

  /**
   * Prints a story several times.
   *
   * @param args none
   * @throws InterruptedException if the thread is interrupted
   */
  public static void main(String[] args) throws InterruptedException {
    try (LlamaModel model = DemoModel.builder().load()) {
      GenerationRequest story = model.prompt("Once there was a").temperature(0).maxTokens(12);
      try (Stream<String> pieces = story.stream().texts()) {
        pieces.map(String::toUpperCase).forEach(System.out::print);
      }
      System.out.println();

      Generation told = story.generate(piece -> System.out.print(piece.replace(' ', '_')));
      List<Duration> times = told.timings().tokenTimes();
      boolean inOrder = times.getFirst().compareTo(times.getLast()) < 0;
      System.out.println("\n" + times.size() + " times of tokens, in order: " + inOrder);

      try (GenerationStream stream = story.stream()) {
        for (int i = 0; i < 3; i++) {
          System.out.print(stream.next());
        }
      } // ends the generation
      System.out.println();

      CountDownLatch done = new CountDownLatch(1);
      story.publisher().subscribe(new Printer(done));
      done.await();
    }
  }

  /** Asks for one piece at a time. */
  private static final class Printer implements Flow.Subscriber<String> {
    private final CountDownLatch done;
    private Flow.Subscription subscription;

    Printer(CountDownLatch done) {
      this.done = done;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      subscription.request(1);
    }

    @Override
    public void onNext(String piece) {
      System.out.print(piece);
      subscription.request(1);
    }

    @Override
    public void onError(Throwable failure) {
      System.out.println(failure.getMessage());
      done.countDown();
    }

    @Override
    public void onComplete() {
      System.out.println();
      done.countDown();
    }
  }
}
