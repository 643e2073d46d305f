package org.llamaj.generate;

import java.util.Arrays;
import java.util.OptionalLong;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/** Guesses what a smaller model finds most probable. */
public final class ModelDrafter implements Drafter {
  /** So many tokens need not queue as a prompt. */
  private static final int FEW = 4;

  private final Sequence sequence;
  private final Lane lane;
  private final int[] last = new int[1];
  private int[] read = {}; // what the sequence holds
  private boolean failed;

  /**
   * @param transformer the smaller model
   * @param scheduler of the smaller model
   */
  public ModelDrafter(Transformer transformer, Scheduler scheduler) {
    sequence = transformer.newSequence();
    lane = scheduler.open(sequence, 0, OptionalLong.empty());
    lane.wantBest(1);
  }

  @Override
  public int draft(int[] text, int length, int[] guesses, int max) {
    int room = sequence.contextLength() - length;
    int wanted = Math.min(max, room);
    if (wanted < 1 || failed || !read(text, length)) {
      return 0;
    }
    int count = 0;
    guesses[count++] = lane.best(0).id(0);
    while (count < wanted) {
      last[0] = guesses[count - 1];
      lane.submit(last, 1, 0);
      if (lane.await() != Lane.Outcome.DONE) {
        break;
      }
      guesses[count++] = lane.best(0).id(0);
    }
    remember(text, length, guesses);
    return count;
  }

  /** Brings the sequence to the text so far: false if that was cancelled. */
  private boolean read(int[] text, int length) {
    int common = Arrays.mismatch(read, 0, sequence.length(), text, 0, length - 1);
    int cached = sequence.truncate(common < 0 ? sequence.length() : common);
    failed = true; // until it is done
    if (length - cached <= FEW) {
      int[] rest = Arrays.copyOfRange(text, cached, length);
      lane.submit(rest, rest.length, rest.length - 1);
    } else {
      int[] prompt = Arrays.copyOf(text, length);
      lane.submitPrompt((batch, to, i) -> batch.add(to, prompt[i]), prompt, cached, length);
    }
    failed = lane.await() != Lane.Outcome.DONE;
    return !failed;
  }

  private void remember(int[] text, int length, int[] guesses) {
    int held = sequence.length();
    if (read.length < held) {
      read = new int[Math.max(held, 2 * read.length)];
    }
    int common = Math.min(length, held);
    System.arraycopy(text, 0, read, 0, common);
    System.arraycopy(guesses, 0, read, common, held - common);
  }

  @Override
  public void cancel() {
    lane.cancel();
  }

  @Override
  public void close() {
    lane.close();
    sequence.close();
  }
}
