package org.llamaj;

import java.util.function.Supplier;
import org.llamaj.generate.Lane;
import org.llamaj.transformer.Sequence;

/**
 * Lets a conversation's sequence hold what is likely to be said next, before it is said. The
 * sequence is in use from the beginning of {@link #run} until {@link #end} has returned.
 */
final class ReadAhead implements Runnable {
  private final Sequence sequence;
  private final Lane lane;
  private final ModelInput held;
  private final Supplier<ModelInput> likely;
  private final int most;

  // Both guarded by this.
  private boolean ended;
  private ModelInput text; // of which the sequence holds the beginning; null before it is read

  /**
   * @param lane of the sequence; closed at the end
   * @param held what the sequence holds
   * @param likely makes what it may hold before long, later and on another thread
   * @param most nothing is done if this is not enough tokens
   */
  ReadAhead(Sequence sequence, Lane lane, ModelInput held, Supplier<ModelInput> likely, int most) {
    this.sequence = sequence;
    this.lane = lane;
    this.held = held;
    this.likely = likely;
    this.most = most;
  }

  @Override
  public void run() {
    ModelInput next = likely.get();
    if (next.length() - next.commonPrefix(held) > most) {
      return;
    }
    next.encode(lane::isCancelled);
    if (begin(next)) {
      lane.readIdle(next::add, next.plain(), sequence.length(), next.length());
    }
  }

  private synchronized boolean begin(ModelInput next) {
    int common = next.commonPrefix(held);
    if (ended || common == next.length()) {
      return false;
    }
    text = next;
    sequence.truncate(common);
    return true;
  }

  /**
   * Ends reading. A step that is under way is waited for where it is worth it, and broken off where
   * it is not.
   *
   * @param prompt what is really to be read next; empty if that is not known
   * @return what the sequence holds now
   */
  synchronized ModelInput end(ModelInput prompt) {
    ended = true;
    boolean useful = text != null && prompt.commonPrefix(text) > text.commonPrefix(held);
    if (!useful) {
      lane.cancel();
    }
    lane.close();
    return text == null ? held : text.first(sequence.length());
  }
}
