package org.llamaj;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How a generation stands among others that use the model at the same time.
 *
 * @param priority prompts of a greater one are read first; 0 by default
 * @param timeLimit the generation ends with {@link FinishReason#TIME_LIMIT} when this much time has
 *     passed since its beginning, be it still in the queue; empty for no limit
 */
public record Scheduling(int priority, Optional<Duration> timeLimit) {
  private static final Scheduling DEFAULTS = new Scheduling(0, Optional.empty());

  /** Checks the values. */
  public Scheduling {
    Objects.requireNonNull(timeLimit, "timeLimit");
    if (timeLimit.filter(limit -> limit.isNegative()).isPresent()) {
      throw new IllegalArgumentException("timeLimit: expected 0 or more, found " + timeLimit.get());
    }
  }

  /**
   * Priority 0, no limit.
   *
   * @return the defaults
   */
  public static Scheduling defaults() {
    return DEFAULTS;
  }

  /**
   * Changes {@link #priority}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public Scheduling withPriority(int value) {
    return new Scheduling(value, timeLimit);
  }

  /**
   * Changes {@link #timeLimit}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public Scheduling withTimeLimit(Duration value) {
    return new Scheduling(priority, Optional.of(Objects.requireNonNull(value, "value")));
  }
}
