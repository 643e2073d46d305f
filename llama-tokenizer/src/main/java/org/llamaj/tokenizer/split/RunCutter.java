package org.llamaj.tokenizer.split;

import static org.llamaj.tokenizer.split.CodePoints.PYTHON_SPACE;
import static org.llamaj.tokenizer.split.CodePoints.classesAt;
import static org.llamaj.tokenizer.split.CodePoints.lengthAt;

/**
 * Finds where Meta's tokenizers cut a text before splitting it: after so many code points in a row
 * that are all white space or all not.
 */
public final class RunCutter {
  private final byte[] utf8;
  private final int limit;
  private final int maxRun;
  private int at;
  private int run;

  /** No jump is tried before this index, so that failed ones cost no more than reading. */
  private int nextJump;

  private boolean runIsSpace;

  /**
   * Starts at the beginning of a text.
   *
   * @param utf8 valid UTF-8
   * @param limit where the text ends
   * @param maxRun the longest run that is not cut, in code points
   */
  public RunCutter(byte[] utf8, int limit, int maxRun) {
    this.utf8 = utf8;
    this.limit = limit;
    this.maxRun = maxRun;
  }

  /**
   * Finds the next cut.
   *
   * @return the byte index of the next cut, or -1 if there is none
   */
  public int nextCut() {
    while (at < limit) {
      if (run <= 1 && at >= nextJump) {
        skipShortRuns();
      }
      boolean space = isSpace(at);
      if (run > 0 && space == runIsSpace) {
        run++;
      } else {
        run = 1;
        runIsSpace = space;
      }
      int here = at;
      at += lengthAt(utf8, at);
      if (run > maxRun) {
        run = 1;
        return here;
      }
    }
    return -1;
  }

  /**
   * Jumps ahead, at the start of a run, while runs are certainly short: between two changes less
   * than {@code maxRun} bytes apart no run can be too long, so the text between need not be read.
   */
  private void skipShortRuns() {
    int jump = maxRun - maxRun / 8;
    while (limit - at > maxRun) {
      int change = changeAfter(at + jump, at + maxRun);
      if (change < 0) {
        nextJump = at + jump;
        return;
      }
      at = change;
      run = 0;
    }
  }

  /** The first index, after one near the given start, where space follows non-space or reverse. */
  private int changeAfter(int start, int end) {
    int i = start;
    while (i < limit && (utf8[i] & 0xc0) == 0x80) {
      i++;
    }
    if (i >= end) {
      return -1;
    }
    boolean space = isSpace(i);
    for (i += lengthAt(utf8, i); i < end; i += lengthAt(utf8, i)) {
      if (isSpace(i) != space) {
        return i;
      }
    }
    return -1;
  }

  private boolean isSpace(int index) {
    return (classesAt(utf8, index) & PYTHON_SPACE) != 0;
  }
}
