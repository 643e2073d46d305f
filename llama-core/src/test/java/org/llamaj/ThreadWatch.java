package org.llamaj;

import java.util.Set;

/** The library's threads that came after this was made, whatever other tests have left. */
public final class ThreadWatch {
  private final Set<Thread> before;

  /** Remembers the threads that are there. */
  public ThreadWatch() {
    before = Thread.getAllStackTraces().keySet();
  }

  /** How many threads are alive whose names begin so. */
  public long alive(String name) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith(name) && !before.contains(thread))
        .count();
  }

  /** Waits until there are none, for ever: the test has a time limit. */
  public void awaitNone(String name) throws InterruptedException {
    while (alive(name) > 0) {
      Thread.sleep(5);
    }
  }
}
