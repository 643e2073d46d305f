package org.llamaj.generate;

import java.util.List;

/**
 * Finds stop strings in streamed text, also where they are spread over several pieces: text that
 * may yet turn out to begin a stop string is held back. Belongs to one generation.
 */
public final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  /**
   * @param stops texts that end a generation, none empty
   */
  public StopStrings(List<String> stops) {
    this.stops = stops;
  }

  /**
   * Takes the next piece of text.
   *
   * @param piece what was generated
   * @return text that can be shown; it ends before a stop string
   */
  public String accept(String piece) {
    if (stops.isEmpty() || found) {
      return found ? "" : piece;
    }
    held.append(piece);
    int end = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && at < end) {
        end = at;
      }
    }
    if (end != Integer.MAX_VALUE) {
      found = true;
      return held.substring(0, end);
    }
    return release(safeLength());
  }

  /**
   * Whether a stop string has come.
   *
   * @return true when generation should end
   */
  public boolean found() {
    return found;
  }

  /**
   * The text held back at the end of a generation that no stop string ended.
   *
   * @return the rest
   */
  public String finish() {
    return found ? "" : release(held.length());
  }

  private String release(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }

  /** The length of the held text without the longest end that begins a stop string. */
  private int safeLength() {
    for (int start = 0; start < held.length(); start++) {
      int rest = held.length() - start;
      for (String stop : stops) {
        if (rest < stop.length() && stop.startsWith(held.substring(start))) {
          return start;
        }
      }
    }
    return held.length();
  }
}
