package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class StreamingFormsTest {
  private static LlamaModel model;
  private static GenerationRequest request;

  @BeforeAll
  static void load() {
    model = LlamaModel.builder(TestModels.small()).kernels("scalar").contextLength(600).load();
    request = model.prompt("the quick").maxTokens(40).temperature(0);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void aJavaStreamGivesTheText() {
    try (Stream<String> texts = request.stream().texts()) {
      assertThat(texts.collect(Collectors.joining())).isEqualTo(request.generate().text());
    }
  }

  @Test
  void aJavaStreamThatIsClosedEndsTheGeneration() {
    GenerationStream generation = request.stream();
    try (Stream<String> texts = generation.texts()) {
      assertThat(texts.limit(2).toList()).hasSize(2);
    }
    assertThat(generation.hasNext()).isFalse();
    assertThat(generation.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
  }

  @Test
  void aPublisherGivesTheTextAsFastAsItIsRequested() throws Exception {
    Reader reader = new Reader((subscription, _) -> subscription.request(1));
    request.publisher().subscribe(reader);
    reader.subscribed.await();
    Thread.sleep(100);
    assertThat(reader.pieces).as("before anything was requested").isEmpty();
    reader.subscription.request(1);
    reader.ended.await();
    assertThat(String.join("", reader.pieces)).isEqualTo(request.generate().text());
    assertThat(reader.failure).isNull();
  }

  @Test
  void aCancelledSubscriptionEndsTheGeneration() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(1);
    Reader reader =
        new Reader(
            (subscription, count) -> {
              if (count == 3) {
                subscription.cancel();
                cancelled.countDown();
              } else {
                subscription.request(1);
              }
            });
    request.maxTokens(100_000).publisher().subscribe(reader);
    reader.subscribed.await();
    reader.subscription.request(1);
    cancelled.await();
    assertThat(reader.ended.await(100, TimeUnit.MILLISECONDS)).isFalse();
    assertThat(reader.pieces).hasSize(3);
  }

  @Test
  void aSubscriberIsToldOfFailures() throws Exception {
    Reader reader = new Reader((_, _) -> {});
    model.prompt("long ".repeat(1000)).publisher().subscribe(reader);
    reader.subscribed.await();
    reader.subscription.request(1);
    reader.ended.await();
    assertThat(reader.failure).isInstanceOf(LlamaException.class);
    Reader invalid = new Reader((_, _) -> {});
    request.publisher().subscribe(invalid);
    invalid.subscribed.await();
    invalid.subscription.request(0);
    invalid.ended.await();
    assertThat(invalid.failure).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void eachTokenHasATime() {
    Generation text = request.generate();
    Timings timings = text.timings();
    assertThat(timings.tokenTimes()).hasSameSizeAs(text.tokens()).isSorted();
    assertThat(timings.tokenTimes().getFirst()).isGreaterThan(Duration.ZERO);
    assertThat(timings.queue()).isLessThanOrEqualTo(timings.prompt());
  }

  private static final class Reader implements Flow.Subscriber<String> {
    private final BiConsumer<Flow.Subscription, Integer> onPiece;
    private final CountDownLatch subscribed = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final List<String> pieces = Collections.synchronizedList(new ArrayList<>());
    private volatile Flow.Subscription subscription;
    private volatile Throwable failure;

    Reader(BiConsumer<Flow.Subscription, Integer> onPiece) {
      this.onPiece = onPiece;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      subscribed.countDown();
    }

    @Override
    public void onNext(String piece) {
      pieces.add(piece);
      onPiece.accept(subscription, pieces.size());
    }

    @Override
    public void onError(Throwable thrown) {
      failure = thrown;
      ended.countDown();
    }

    @Override
    public void onComplete() {
      ended.countDown();
    }
  }
}
