package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.llamaj.generate.Lane;
import org.llamaj.generate.Scheduler;
import org.llamaj.sampling.SamplingContext;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.transformer.Sequence;

@Timeout(600)
class SchedulerTest {

  @Test
  void whatManyHaveSubmittedGoesThroughTheModelInOneStep() {
    try (LlamaModel model = load(512, 64)) {
      Scheduler scheduler = model.scheduler();
      List<Sequence> sequences = new ArrayList<>();
      List<Lane> lanes = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        sequences.add(model.transformer().newSequence());
        lanes.add(scheduler.open(sequences.get(i), 0, OptionalLong.empty()));
        submit(lanes.get(i), 1, 2 + i);
      }
      for (int token = 0; token < 5; token++) {
        for (Lane lane : lanes) {
          assertThat(lane.await()).isEqualTo(Lane.Outcome.DONE);
        }
        assertThat(scheduler.steps()).isEqualTo(1 + token);
        for (Lane lane : lanes) {
          lane.submit(new int[] {3}, 1, 0);
        }
      }
      lanes.forEach(Lane::close);
      sequences.forEach(Sequence::close);
    }
  }

  @Test
  void manyThreadsGetTheTextsOfEachAlone() throws Exception {
    try (LlamaModel model = load(512, 64)) {
      List<String> alone =
          IntStream.range(0, 12).mapToObj(i -> request(model, i).generate().text()).toList();
      long before = model.scheduler().steps();
      Meeting meeting = new Meeting(12);
      try (ExecutorService threads = Executors.newFixedThreadPool(12)) {
        List<Future<String>> texts = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
          int prompt = i;
          texts.add(
              threads.submit(
                  () -> request(model, prompt).sampling(meeting::join).generate().text()));
        }
        for (int i = 0; i < 12; i++) {
          assertThat(texts.get(i).get()).isEqualTo(alone.get(i));
        }
      }
      assertThat(model.scheduler().steps() - before)
          .as("forward passes of 12 texts of 40 tokens")
          .isBetween(40L, 12 * 41L);
    }
  }

  /** Where several texts wait for each other after their prompts: all are under way at once. */
  private record Meeting(CyclicBarrier all) implements SamplingStep {
    Meeting(int texts) {
      this(new CyclicBarrier(texts));
    }

    SamplingOptions join(SamplingOptions options) {
      return options.with(this);
    }

    @Override
    public Stage begin(SamplingContext context) {
      boolean[] met = new boolean[1];
      return _ -> {
        if (!met[0]) {
          met[0] = true;
          try {
            all.await();
          } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
          }
        }
      };
    }
  }

  @Test
  void aBatchGivesTheTextsInOrderAndHasManyUnderWayAtOnce() throws Exception {
    try (LlamaModel model = load(512, 64)) {
      List<String> prompts = IntStream.range(0, 20).mapToObj(SchedulerTest::prompt).toList();
      List<String> alone =
          prompts.stream()
              .map(text -> model.prompt(text).temperature(0).maxTokens(60).generate().text())
              .toList();
      Meeting meeting = new Meeting(10);
      List<Generation> together =
          model
              .batch(prompts)
              .temperature(0)
              .maxTokens(60)
              .concurrency(10)
              .sampling(meeting::join)
              .generate();
      assertThat(together).extracting(Generation::text).isEqualTo(alone);
    }
  }

  @Test
  void aFailureInABatchEndsIt() {
    try (LlamaModel model = load(512, 64)) {
      List<String> prompts = new ArrayList<>(List.of("a", "b", "long ".repeat(1000)));
      assertThatThrownBy(() -> model.batch(prompts).maxTokens(100_000).generate())
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("context of 600 tokens");
      assertThat(model.prompt("a").maxTokens(2).generate().tokens()).isNotEmpty();
    }
  }

  @Test
  void promptsAreReadInChunksWhileOthersStream() {
    try (LlamaModel model = load(512, 16);
        Sequence streaming = model.transformer().newSequence();
        Sequence reading = model.transformer().newSequence()) {
      Scheduler scheduler = model.scheduler();
      int[] prompt = IntStream.range(0, 100).map(i -> i % 200 + 1).toArray();
      try (Lane stream = scheduler.open(streaming, 0, OptionalLong.empty());
          Lane reader = scheduler.open(reading, 0, OptionalLong.empty())) {
        submit(stream, prompt);
        stream.await();
        assertThat(streaming.length()).as("alone, in one step").isEqualTo(100);
        step(stream);
        submit(reader, IntStream.range(0, 100).map(i -> i % 150 + 9).toArray());
        for (int i = 1; i <= 6; i++) {
          step(stream);
          assertThat(reading.length()).isEqualTo(16 * i);
        }
        assertThat(reader.await()).isEqualTo(Lane.Outcome.DONE);
        assertThat(reading.length()).isEqualTo(100);
      }
    }
  }

  @Test
  void manyLongPromptsTogetherDelayAStreamByNoMoreThanOneChunkAStep() {
    try (LlamaModel model = load(512, 16);
        Sequence streaming = model.transformer().newSequence()) {
      Scheduler scheduler = model.scheduler();
      List<Sequence> reading = new ArrayList<>();
      List<Lane> readers = new ArrayList<>();
      try (Lane stream = scheduler.open(streaming, 0, OptionalLong.empty())) {
        submit(stream, 1, 2, 3);
        stream.await();
        step(stream);
        for (int i = 0; i < 5; i++) {
          int first = i;
          reading.add(model.transformer().newSequence());
          readers.add(scheduler.open(reading.get(i), i % 2, OptionalLong.empty()));
          submit(readers.get(i), IntStream.range(0, 90).map(t -> (t + 31 * first) % 200).toArray());
        }
        for (int read = 0; read < 5 * 90; ) {
          long steps = scheduler.steps();
          step(stream);
          assertThat(scheduler.steps()).as("a token in each step").isEqualTo(steps + 1);
          int now = reading.stream().mapToInt(Sequence::length).sum();
          assertThat(now - read).isEqualTo(Math.min(16, 5 * 90 - read));
          read = now;
        }
        readers.forEach(Lane::close);
      } finally {
        reading.forEach(Sequence::close);
      }
    }
  }

  @Test
  void aPromptOfLowPriorityGetsItsTurnBesideAnEndlessRowOfUrgentOnes() {
    try (LlamaModel model = load(32, 32);
        Sequence patient = model.transformer().newSequence();
        Sequence urgent = model.transformer().newSequence()) {
      Scheduler scheduler = model.scheduler();
      try (Lane low = scheduler.open(patient, -5, OptionalLong.empty());
          Lane high = scheduler.open(urgent, 5, OptionalLong.empty())) {
        submit(low, IntStream.range(0, 64).map(i -> i % 100 + 7).toArray());
        int[] steps = new int[2];
        for (int chunk = 0; chunk < 2; chunk++) {
          while (patient.length() < 32 * (chunk + 1)) {
            urgent.truncate(0);
            int salt = 10 * (steps[0] + steps[1]);
            submit(high, IntStream.range(0, 32).map(i -> (7 * i + salt) % 400).toArray());
            high.await();
            steps[chunk]++;
          }
        }
        // Passed over by eight; the ninth shares its steps.
        assertThat(steps).as("urgent prompts before each chunk").containsExactly(9, 8);
        assertThat(low.await()).isEqualTo(Lane.Outcome.DONE);
      }
    }
  }

  @Test
  void aStepMakesNoGarbageToSpeakOf() {
    try (LlamaModel model =
            LlamaModel.builder(TestModels.quantised()).threads(1).contextLength(4000).load();
        Sequence sequence = model.transformer().newSequence();
        Lane lane = model.scheduler().open(sequence, 0, OptionalLong.empty())) {
      assumeThat(model.kernels()).as("those of the Vector API need C2").isEqualTo("x86");
      submit(lane, 1, 2, 3);
      lane.await();
      var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      int[] next = {5};
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 10; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 100; i++) {
          lane.submit(next, 1, 0);
          lane.await();
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      // A span in each step; pages of the cache, and what finds them again, now and then.
      assertThat(least / 100).as("bytes in each step").isLessThan(128);
    }
  }

  @Test
  void aHigherPriorityGoesFirstAndEqualsTakeTurns() {
    try (LlamaModel model = load(32, 32);
        Sequence a = model.transformer().newSequence();
        Sequence b = model.transformer().newSequence();
        Sequence c = model.transformer().newSequence()) {
      Scheduler scheduler = model.scheduler();
      int[] ids = IntStream.range(0, 96).map(i -> i % 200 + 1).toArray();
      int[] others = IntStream.range(0, 96).map(i -> i % 100 + 7).toArray();
      try (Lane longOne = scheduler.open(a, 0, OptionalLong.empty());
          Lane equal = scheduler.open(b, 0, OptionalLong.empty());
          Lane urgent = scheduler.open(c, 1, OptionalLong.empty())) {
        submit(longOne, ids);
        submit(equal, others);
        submit(urgent, 5, 6, 7);
        urgent.await();
        assertThat(a.length()).as("the rest of the first step").isEqualTo(29);
        assertThat(b.length()).isZero();
        equal.await();
        assertThat(b.length()).isEqualTo(96);
        assertThat(a.length()).isBetween(29 + 32, 96);
      }
    }
  }

  @Test
  void whatIsReadInIdleTimeWaitsForStreamsAndPrompts() throws Exception {
    try (LlamaModel model = load(512, 16);
        Sequence streaming = model.transformer().newSequence();
        Sequence prompted = model.transformer().newSequence();
        Sequence reading = model.transformer().newSequence();
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Scheduler scheduler = model.scheduler();
      try (Lane idle = scheduler.open(reading, 0, OptionalLong.empty())) {
        Future<Lane.Outcome> read;
        long steps;
        Lane stream = scheduler.open(streaming, 0, OptionalLong.empty());
        try (Lane prompt = scheduler.open(prompted, 0, OptionalLong.empty())) {
          submit(stream, 1, 2, 3);
          stream.await();
          step(stream);
          read = threads.submit(() -> readIdle(idle, 100, () -> {}));
          for (int i = 0; i < 20; i++) {
            step(stream);
          }
          submit(prompt, 4, 5, 6);
          stream.close();
          assertThat(reading.length()).as("while a prompt waits").isZero();
          prompt.await();
          steps = scheduler.steps();
        }
        assertThat(read.get()).isEqualTo(Lane.Outcome.DONE);
        assertThat(reading.length()).isEqualTo(100);
        assertThat(scheduler.steps() - steps).as("chunks of 16").isBetween(6L, 7L);
      }
    }
  }

  @Test
  void whoComesWhileIdleTimeIsUsedWaitsForOneStep() throws Exception {
    try (LlamaModel model = load(512, 16);
        Sequence prompted = model.transformer().newSequence();
        Sequence reading = model.transformer().newSequence();
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Scheduler scheduler = model.scheduler();
      Lane prompt = scheduler.open(prompted, 0, OptionalLong.empty());
      try (Lane idle = scheduler.open(reading, 0, OptionalLong.empty())) {
        CountDownLatch inStep = new CountDownLatch(1);
        CountDownLatch submitted = new CountDownLatch(1);
        Future<Lane.Outcome> read =
            threads.submit(
                () ->
                    readIdle(
                        idle,
                        100,
                        () -> {
                          inStep.countDown();
                          await(submitted);
                        }));
        await(inStep);
        submit(prompt, IntStream.range(0, 50).map(i -> i + 7).toArray());
        submitted.countDown();
        assertThat(prompt.await()).isEqualTo(Lane.Outcome.DONE);
        assertThat(scheduler.steps()).isEqualTo(2);
        assertThat(reading.length()).as("busy until the stream is closed").isEqualTo(16);
        prompt.close();
        assertThat(read.get()).isEqualTo(Lane.Outcome.DONE);
      }
    }
  }

  @Test
  void whatIsReadInIdleTimeCanBeBrokenOffOrEndedAfterTheStep() throws Exception {
    try (LlamaModel model = load(512, 16);
        Sequence cancelled = model.transformer().newSequence();
        Sequence closed = model.transformer().newSequence();
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Scheduler scheduler = model.scheduler();
      try (Lane lane = scheduler.open(cancelled, 0, OptionalLong.empty())) {
        assertThat(threads.submit(() -> readIdle(lane, 100, lane::cancel)).get())
            .isEqualTo(Lane.Outcome.CANCELLED);
        assertThat(cancelled.length()).as("as before the step").isZero();
      }
      CountDownLatch inStep = new CountDownLatch(1);
      Lane lane = scheduler.open(closed, 0, OptionalLong.empty());
      Future<Lane.Outcome> read = threads.submit(() -> readIdle(lane, 100, inStep::countDown));
      await(inStep);
      lane.close();
      int length = closed.length();
      assertThat(length).isPositive().isLessThanOrEqualTo(100);
      assertThat(read.get()).isNotNull();
      assertThat(closed.length()).as("no more steps").isEqualTo(length);
    }
  }

  @Test
  void whatIsReadInIdleTimeTakesNoPlaceInTheQueue() throws Exception {
    try (LlamaModel model =
            LlamaModel.builder(TestModels.small()).contextLength(600).queueLimit(1).load();
        Sequence reading = model.transformer().newSequence();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        Lane idle = model.scheduler().open(reading, 0, OptionalLong.empty())) {
      CountDownLatch inStep = new CountDownLatch(1);
      CountDownLatch submitted = new CountDownLatch(1);
      Future<Lane.Outcome> read =
          threads.submit(
              () ->
                  readIdle(
                      idle,
                      10,
                      () -> {
                        inStep.countDown();
                        await(submitted);
                      }));
      await(inStep);
      try (Sequence other = model.transformer().newSequence();
          Lane lane = model.scheduler().open(other, 0, OptionalLong.empty())) {
        submit(lane, 1, 2, 3);
        submitted.countDown();
        assertThat(lane.await()).isEqualTo(Lane.Outcome.DONE);
      }
      assertThat(read.get()).isEqualTo(Lane.Outcome.DONE);
    }
  }

  /** Reads tokens in idle time; something happens when the first of them joins its step. */
  private static Lane.Outcome readIdle(Lane lane, int count, Runnable atFirst) {
    return lane.readIdle(
        (batch, sequence, i) -> {
          if (i == 0) {
            atFirst.run();
          }
          batch.add(sequence, i + 1);
        },
        new int[0],
        0,
        count);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void tooManyPromptsAreRefused() {
    try (LlamaModel model =
            LlamaModel.builder(TestModels.small()).contextLength(600).queueLimit(1).load();
        Sequence a = model.transformer().newSequence();
        Lane lane = model.scheduler().open(a, 0, OptionalLong.empty())) {
      submit(lane, 1, 2, 3);
      assertThatThrownBy(() -> model.generate("b"))
          .isInstanceOf(OverloadedException.class)
          .hasMessageContaining("fewer than 1 prompts");
      lane.await();
      assertThat(model.prompt("b").maxTokens(1).generate().tokens()).hasSize(1);
    }
  }

  @Test
  void aTimeLimitEndsAGenerationWithWhatThereIs() {
    try (LlamaModel model = load(512, 64)) {
      Generation none = model.prompt("x").timeLimit(Duration.ZERO).generate();
      assertThat(none.finishReason()).isEqualTo(FinishReason.TIME_LIMIT);
      assertThat(none.tokens()).isEmpty();
      Generation some = none;
      for (long millis = 50; some.tokens().isEmpty(); millis *= 2) { // a slow machine needs more
        Duration limit = Duration.ofMillis(millis);
        long start = System.nanoTime();
        try (GenerationStream stream = model.prompt("x").temperature(0).timeLimit(limit).stream()) {
          stream.hasNext();
          while (System.nanoTime() - start <= limit.toNanos()) {
            sleep(10);
          }
          some = stream.readAll(_ -> {});
        }
        assertThat(some.finishReason()).isEqualTo(FinishReason.TIME_LIMIT);
      }
    }
  }

  @Test
  void whoWaitsCanBeCancelledWhileAnotherOneComputes() throws Exception {
    try (LlamaModel model = load(512, 64);
        Sequence one = model.transformer().newSequence();
        Sequence two = model.transformer().newSequence();
        Lane computing = model.scheduler().open(one, 0, OptionalLong.empty());
        Lane waiting = model.scheduler().open(two, 0, OptionalLong.empty());
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      CountDownLatch inStep = new CountDownLatch(1);
      CountDownLatch cancelled = new CountDownLatch(1);
      computing.submitPrompt(
          (batch, sequence, i) -> {
            inStep.countDown();
            await(cancelled);
            batch.add(sequence, i + 1);
          },
          new int[0],
          0,
          3);
      Future<Lane.Outcome> first = threads.submit(computing::await);
      await(inStep);
      submit(waiting, 4, 5, 6);
      Future<Lane.Outcome> second = threads.submit(waiting::await);
      waiting.cancel();
      assertThat(second.get()).isEqualTo(Lane.Outcome.CANCELLED);
      assertThat(two.length()).isZero();
      cancelled.countDown();
      assertThat(first.get()).isEqualTo(Lane.Outcome.DONE);
      assertThat(one.length()).isEqualTo(3);
    }
  }

  private static void submit(Lane lane, int... prompt) {
    lane.submitPrompt(
        (batch, sequence, i) -> batch.add(sequence, prompt[i]), prompt, 0, prompt.length);
  }

  private static void step(Lane lane) {
    lane.submit(new int[] {3}, 1, 0);
    assertThat(lane.await()).isEqualTo(Lane.Outcome.DONE);
  }

  private static GenerationRequest request(LlamaModel model, int i) {
    return model.prompt(prompt(i)).temperature(0).maxTokens(40);
  }

  private static String prompt(int i) {
    return "the quick brown fox ".repeat(i % 5 + 1) + i;
  }

  private static LlamaModel load(int batchSize, int promptChunk) {
    return LlamaModel.builder(TestModels.small())
        .kernels("scalar")
        .contextLength(600)
        .batchSize(batchSize)
        .promptChunk(promptChunk)
        .load();
  }

  private static void sleep(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
