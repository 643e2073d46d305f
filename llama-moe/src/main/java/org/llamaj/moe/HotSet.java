package org.llamaj.moe;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The experts that are chosen most often, locked in memory up to a budget, so that in a model
 * larger than memory the rare ones do not drive them out. The choice follows the use: every {@value
 * #REVIEW} forward passes it is made anew from choices in which older ones count less and less, and
 * the experts that came in are locked one by one, each after a forward pass. Used by the thread of
 * the forward pass, but for {@link #lockedBytes} and {@link #wasRefused}.
 */
final class HotSet {
  private static final Logger LOG = LoggerFactory.getLogger(HotSet.class);

  /** Forward passes between two reviews. */
  static final int REVIEW = 64;

  /** What older choices still count after a review. */
  private static final double MEMORY = 7.0 / 8;

  /** How much more use a newcomer needs than an expert that is in: each change reads the disk. */
  private static final double STAY_BONUS = 1.5;

  /** One expert of one layer. */
  private static final class Candidate {
    final Expert expert;
    final RoutingStatistics statistics;
    final int index;
    long choicesSeen;
    double use;
    boolean locked;

    Candidate(Expert expert, RoutingStatistics statistics, int index) {
      this.expert = expert;
      this.statistics = statistics;
      this.index = index;
    }

    void review() {
      long choices = statistics.of(index);
      use = MEMORY * use + (choices - choicesSeen);
      choicesSeen = choices;
    }

    double rank() {
      return locked ? STAY_BONUS * use : use;
    }
  }

  private final VirtualMemory memory;
  private final long budget;
  private final List<Candidate> candidates = new ArrayList<>();
  private final ArrayDeque<Candidate> toLock = new ArrayDeque<>();
  private int passes;
  private volatile long lockedBytes;
  private volatile boolean refused;

  /**
   * @param memory locks it
   * @param budget the most bytes to lock
   */
  HotSet(VirtualMemory memory, long budget) {
    this.memory = memory;
    this.budget = budget;
  }

  /** Takes in the experts of one more layer. */
  void add(Expert[] experts, RoutingStatistics statistics) {
    IntStream.range(0, experts.length)
        .mapToObj(i -> new Candidate(experts[i], statistics, i))
        .forEach(candidates::add);
  }

  /** Goes one step towards the set that the last review wants. Called once per forward pass. */
  void advance() {
    if (refused) {
      return;
    }
    if (++passes % REVIEW == 0) {
      review();
    }
    Candidate next = toLock.poll();
    if (next != null) {
      lock(next);
    }
  }

  private void review() {
    candidates.forEach(Candidate::review);
    Candidate[] byRank = candidates.toArray(Candidate[]::new);
    Arrays.sort(byRank, Comparator.comparingDouble(Candidate::rank).reversed());
    toLock.clear();
    long left = budget;
    for (Candidate candidate : byRank) {
      boolean wanted = candidate.use > 0 && candidate.expert.bytes() <= left;
      if (wanted) {
        left -= candidate.expert.bytes();
      }
      if (wanted && !candidate.locked) {
        toLock.add(candidate);
      } else if (!wanted && candidate.locked) {
        unlock(candidate);
      }
    }
  }

  private void lock(Candidate candidate) {
    candidate.locked = true;
    if (candidate.expert.weights().stream().allMatch(memory::lock)) {
      lockedBytes += candidate.expert.bytes();
      return;
    }
    candidate.expert.weights().forEach(memory::unlock);
    candidate.locked = false;
    refused = true;
    toLock.clear();
    LOG.warn(
        "experts: {} MiB are locked in memory, {} MiB were asked for, and the system allows no more: raise the limit of locked memory (ulimit -l)",
        lockedBytes >> 20,
        budget >> 20);
  }

  private void unlock(Candidate candidate) {
    candidate.expert.weights().forEach(memory::unlock);
    candidate.locked = false;
    lockedBytes -= candidate.expert.bytes();
  }

  /** Whether an expert is locked. */
  boolean isLocked(Expert expert) {
    return candidates.stream().anyMatch(c -> c.expert == expert && c.locked);
  }

  /** How much is locked. Thread-safe. */
  long lockedBytes() {
    return lockedBytes;
  }

  /** Whether the system allowed less than was asked for. Thread-safe. */
  boolean wasRefused() {
    return refused;
  }
}
