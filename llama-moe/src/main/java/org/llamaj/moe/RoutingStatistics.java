package org.llamaj.moe;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/** How often each expert of a layer has been chosen. Thread-safe. */
final class RoutingStatistics {
  private final AtomicLongArray choices;

  RoutingStatistics(int experts) {
    choices = new AtomicLongArray(experts);
  }

  /** Counts one batch. */
  void count(Dispatch dispatch) {
    for (int i = 0; i < dispatch.chosenExperts(); i++) {
      choices.getAndAdd(dispatch.expert(i), dispatch.count(i));
    }
  }

  /** How often one expert was chosen so far. */
  long of(int expert) {
    return choices.get(expert);
  }

  /** All choices so far. */
  long total() {
    return sum(sorted(), 0);
  }

  /** The choices that went to the most popular quarter of the experts. */
  long ofBusiestQuarter() {
    long[] sorted = sorted();
    return sum(sorted, sorted.length - Math.ceilDiv(sorted.length, 4));
  }

  private long[] sorted() {
    long[] copy = new long[choices.length()];
    Arrays.setAll(copy, choices::get);
    Arrays.sort(copy);
    return copy;
  }

  private static long sum(long[] values, int from) {
    return Arrays.stream(values, from, values.length).sum();
  }
}
