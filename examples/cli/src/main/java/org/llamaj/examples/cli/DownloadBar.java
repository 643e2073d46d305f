package org.llamaj.examples.cli;

import java.io.PrintStream;
import org.llamaj.hub.DownloadListener;

/** Shows on standard error how far a download has come, where somebody is looking. */
final class DownloadBar implements DownloadListener {
  private static final int WIDTH = 30;
  private static final long INTERVAL = 200_000_000; // ns

  private final PrintStream out = System.err;
  private final boolean watched = System.console() != null && System.console().isTerminal();
  private final long start = System.nanoTime();
  private long shown = start - INTERVAL;
  private long first = -1;
  private boolean downloads;

  @Override
  public void onProgress(String file, long bytes, long totalBytes) {
    long now = System.nanoTime();
    boolean ended = bytes >= totalBytes;
    if (first < 0) {
      first = bytes;
    }
    downloads |= !ended;
    if (!watched || !downloads || now - shown < INTERVAL && !ended) {
      return;
    }
    shown = now;
    double done = totalBytes == 0 ? 1 : (double) bytes / totalBytes;
    int filled = (int) (done * WIDTH);
    double perSecond = (bytes - first) / Math.max(1e-9, (now - start) / 1e9);
    out.printf(
        "\r%s%s %3.0f %% of %s, %s/s  %-40.40s%s",
        "#".repeat(filled),
        ".".repeat(WIDTH - filled),
        100 * done,
        ByteSize.of(totalBytes),
        ByteSize.of((long) perSecond),
        file,
        ended ? System.lineSeparator() : "");
    out.flush();
  }
}
