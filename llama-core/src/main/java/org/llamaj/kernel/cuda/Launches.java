package org.llamaj.kernel.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kernels that are to run, in order. They are collected and given to the device when somebody needs
 * results. A list that has been played before is recorded as a CUDA graph, which the device plays
 * without gaps: decode steps differ in what the memory holds and not in what is launched.
 */
final class Launches implements AutoCloseable {
  /** Set to {@code false} to launch kernels one by one. */
  static final String GRAPHS_PROPERTY = "llamaj.cuda.graphs";

  private static final Logger LOG = LoggerFactory.getLogger(Launches.class);
  private static final int MAX_PARAMETERS = 16;

  /** Shorter lists are not worth a graph. */
  private static final int SHORTEST_GRAPH = 8;

  /** How many lists are remembered. */
  private static final int REMEMBERED = 16;

  /** Of a launch: function, grid x and y, grid z and threads, shared bytes and parameter count. */
  private static final int HEAD = 4;

  /** A list that was played, and its graph once it has been played twice. */
  private static final class Played {
    private final long[] words;
    private final long hash;
    private long graph;
    private long lastUse;

    Played(long[] words, long hash) {
      this.words = words;
      this.hash = hash;
    }
  }

  private final Stream stream;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment values = arena.allocate(JAVA_LONG, MAX_PARAMETERS);
  private final MemorySegment parameters = arena.allocate(ADDRESS, MAX_PARAMETERS);
  private final Played[] played = new Played[REMEMBERED];
  private boolean graphs = !"false".equals(System.getProperty(GRAPHS_PROPERTY));
  private long[] words = new long[1024];
  private int size;
  private int head; // of the last launch
  private int count;
  private long uses;

  Launches(Stream stream) {
    this.stream = stream;
    for (int i = 0; i < MAX_PARAMETERS; i++) {
      parameters.setAtIndex(ADDRESS, i, values.asSlice((long) Long.BYTES * i, Long.BYTES));
    }
  }

  /** Adds a launch, whose parameters follow. */
  Launches add(long function, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
    if (size + HEAD + MAX_PARAMETERS > words.length) {
      words = Arrays.copyOf(words, 2 * words.length);
    }
    head = size;
    words[size++] = function;
    words[size++] = gridX | (long) gridY << 32;
    words[size++] = gridZ | (long) threads << 32;
    words[size++] = (long) sharedBytes << 32;
    count++;
    return this;
  }

  /** A parameter of the launch added last: an address, or a 64-bit number. */
  Launches with(long value) {
    words[size++] = value;
    words[head + HEAD - 1]++;
    return this;
  }

  /** A parameter of the launch added last. */
  Launches with(int value) {
    return with(value & 0xFFFFFFFFL);
  }

  /** A parameter of the launch added last. */
  Launches with(float value) {
    return with(Float.floatToRawIntBits(value));
  }

  /** Whether a launch that waits has this word among its parameters. */
  boolean mention(long address, long bytes) {
    for (int at = 0; at < size; ) {
      int parameterCount = (int) words[at + HEAD - 1];
      at += HEAD;
      for (int i = 0; i < parameterCount; i++) {
        if (words[at + i] >= address && words[at + i] < address + bytes) {
          return true;
        }
      }
      at += parameterCount;
    }
    return false;
  }

  /** Gives all launches to the device. */
  void flush() {
    if (count == 0) {
      return;
    }
    try {
      if (graphs && count >= SHORTEST_GRAPH) {
        playRemembered();
      } else {
        playOneByOne();
      }
    } finally {
      size = 0;
      count = 0;
    }
  }

  private void playRemembered() {
    long hash = hash();
    Played same = find(hash);
    if (same == null) {
      playOneByOne();
      remember(new Played(Arrays.copyOf(words, size), hash));
      return;
    }
    same.lastUse = ++uses;
    if (same.graph == 0) {
      try {
        same.graph = stream.record(this::playOneByOne);
      } catch (CudaException e) {
        if (e.isLost()) {
          throw e;
        }
        LOG.warn(
            "CUDA graphs do not work here, kernels are launched one by one: {}", e.getMessage());
        graphs = false;
        playOneByOne();
        return;
      }
    }
    stream.launchGraph(same.graph);
  }

  private void playOneByOne() {
    for (int at = 0; at < size; ) {
      long function = words[at];
      long gridXY = words[at + 1];
      long gridZThreads = words[at + 2];
      long sharedCount = words[at + 3];
      int parameterCount = (int) sharedCount;
      at += HEAD;
      for (int i = 0; i < parameterCount; i++) {
        values.setAtIndex(JAVA_LONG, i, words[at + i]);
      }
      at += parameterCount;
      stream.launch(
          function,
          (int) gridXY,
          (int) (gridXY >>> 32),
          (int) gridZThreads,
          (int) (gridZThreads >>> 32),
          (int) (sharedCount >>> 32),
          parameters);
    }
  }

  private long hash() {
    long hash = size;
    for (int i = 0; i < size; i++) {
      hash = 0x9E3779B97F4A7C15L * (hash ^ words[i]);
      hash ^= hash >>> 29;
    }
    return hash;
  }

  private Played find(long hash) {
    for (Played one : played) {
      if (one != null
          && one.hash == hash
          && Arrays.equals(one.words, 0, one.words.length, words, 0, size)) {
        return one;
      }
    }
    return null;
  }

  /** In the place of the one that has not been played for longest. */
  private void remember(Played one) {
    int oldest = 0;
    for (int i = 0; i < played.length && played[oldest] != null; i++) {
      if (played[i] == null || played[i].lastUse < played[oldest].lastUse) {
        oldest = i;
      }
    }
    if (played[oldest] != null && played[oldest].graph != 0) {
      stream.freeGraph(played[oldest].graph);
    }
    one.lastUse = ++uses;
    played[oldest] = one;
  }

  /** Graphs end with the stream. */
  @Override
  public void close() {
    arena.close();
  }
}
