package org.llamaj.examples.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * The forward passes of some work, as Flight Recorder tells of them.
 *
 * @param count how many
 * @param inside the time they took
 * @param all the time that the work took
 */
record Passes(int count, Duration inside, Duration all) {

  private static final String STEP = "org.llamaj.Step";

  /** Does some work and listens. */
  static Passes of(Callable<?> work) throws Exception {
    try (Recording recording = new Recording()) {
      recording.enable(STEP).withoutThreshold();
      recording.start();
      long start = System.nanoTime();
      work.call();
      Duration all = Duration.ofNanos(System.nanoTime() - start);
      recording.stop();
      return read(recording, all);
    }
  }

  private static Passes read(Recording recording, Duration all) throws IOException {
    Path file = Files.createTempFile("passes", ".jfr");
    try {
      recording.dump(file);
      int count = 0;
      Duration inside = Duration.ZERO;
      for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
        if (event.getEventType().getName().equals(STEP)) {
          count++;
          inside = inside.plus(event.getDuration());
        }
      }
      return new Passes(count, inside, all);
    } finally {
      Files.delete(file);
    }
  }

  /** What is done between two passes, in milliseconds. */
  double betweenMillis() {
    return all.minus(inside).toNanos() / 1e6 / count;
  }

  /** What is done between passes, as a part of one. */
  double between() {
    return (double) all.minus(inside).toNanos() / all.toNanos();
  }
}
