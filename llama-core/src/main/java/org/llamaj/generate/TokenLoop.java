package org.llamaj.generate;

import java.util.Arrays;
import org.llamaj.transformer.Sequence;

/**
 * Makes one token after another: reads the prompt, lets tokens through the model, has guesses
 * checked, and makes room where the context is full. Belongs to one generation; not thread-safe.
 */
public final class TokenLoop {
  /** Means that a full context ends the text. */
  public static final int NO_SLIDING = -1;

  /** Chooses a token. */
  @FunctionalInterface
  public interface Choice {
    /**
     * Chooses the next token and takes note of it.
     *
     * @param lane holds the logits
     * @param row where they are there
     * @return its id
     */
    int choose(Lane lane, int row);
  }

  private final Sequence sequence;
  private final Lane lane;
  private final Choice choice;
  private final Drafter drafter;
  private final DraftLength draftLength;
  private final int keep;
  private final int[] step; // the last token and guesses of what follows
  private final int[] guesses;

  /** The text as the model sees it: the prompt and what was generated. */
  private int[] text;

  private int length;
  private int rows; // of the last step, guesses included
  private int row; // the next of them whose token is to be chosen
  private int guessed;
  private int right;
  private boolean slid;

  /**
   * @param sequence holds the text
   * @param lane its way through the model
   * @param choice chooses tokens
   * @param drafter guesses tokens; closed with the loop
   * @param maxDraft the most guesses
   * @param keep how many tokens stay when the context is full; {@link #NO_SLIDING} if a full
   *     context ends the text
   */
  public TokenLoop(
      Sequence sequence, Lane lane, Choice choice, Drafter drafter, int maxDraft, int keep) {
    this.sequence = sequence;
    this.lane = lane;
    this.choice = choice;
    this.drafter = drafter;
    this.keep = keep;
    draftLength = new DraftLength(maxDraft);
    step = new int[1 + maxDraft];
    guesses = new int[maxDraft];
  }

  /**
   * Reads the prompt.
   *
   * @param prompt puts its tokens into a batch
   * @param ids of the prompt
   * @param plain as in {@link Lane#submitPrompt}
   * @param cached how many of its tokens the sequence holds already
   * @return whether it was read
   */
  public Lane.Outcome read(Lane.Source prompt, int[] ids, int[] plain, int cached) {
    text = Arrays.copyOf(ids, ids.length + 64);
    length = ids.length;
    lane.submitPrompt(prompt, plain, cached, length);
    return await(1);
  }

  /**
   * Whether the next token needs room that the context does not have.
   *
   * @return true if the text has to end
   */
  public boolean isFull() {
    return row == rows && keep < 0 && sequence.length() == sequence.contextLength();
  }

  /**
   * Makes the next token possible: a forward pass, unless a guess was right.
   *
   * @param left how many more tokens are wanted at most, at least 1
   * @return whether {@link #choose} can be called
   */
  public Lane.Outcome advance(int left) {
    if (row < rows) {
      return Lane.Outcome.DONE;
    }
    if (sequence.length() == sequence.contextLength()) {
      return slide();
    }
    int room = Math.min(sequence.contextLength() - sequence.length(), lane.capacity());
    int max = Math.min(Math.min(draftLength.next(), left - 1), room - 1);
    int count = max <= 0 ? 0 : drafter.draft(text, length, guesses, max);
    step[0] = text[length - 1];
    System.arraycopy(guesses, 0, step, 1, count);
    lane.submit(step, 1 + count, 0);
    return await(1 + count);
  }

  private Lane.Outcome await(int count) {
    row = 0;
    rows = 0;
    Lane.Outcome outcome = lane.await();
    if (outcome == Lane.Outcome.DONE) {
      rows = count;
    }
    return outcome;
  }

  /**
   * Chooses the next token.
   *
   * @return its id
   */
  public int choose() {
    int token = choice.choose(lane, row);
    append(token);
    row++;
    if (rows > 1) {
      check(token);
    }
    return token;
  }

  /** Compares what was chosen with what had been guessed. */
  private void check(int token) {
    boolean isRight = row < rows && step[row] == token;
    if (isRight) {
      guessed++;
      right++;
      return;
    }
    int wrong = rows - row;
    draftLength.observe(rows - 1, row - 1);
    guessed += wrong;
    rows = row;
    sequence.truncate(sequence.length() - wrong);
  }

  /** Goes on with the first tokens and the last half of the others. */
  private Lane.Outcome slide() {
    int kept = Math.min(keep, sequence.contextLength() / 2);
    int recent = Math.max(1, (sequence.contextLength() - kept) / 2);
    System.arraycopy(text, length - recent, text, kept, recent);
    length = kept + recent;
    slid = true;
    int cached = sequence.truncate(Math.min(kept, sequence.length()));
    int[] prompt = Arrays.copyOf(text, length);
    lane.submitPrompt((batch, to, i) -> batch.add(to, prompt[i]), prompt, cached, length);
    return await(1);
  }

  private void append(int token) {
    if (length == text.length) {
      text = Arrays.copyOf(text, 2 * length);
    }
    text[length++] = token;
  }

  /**
   * Whether tokens were forgotten to make room.
   *
   * @return true if the sequence does not hold the whole text
   */
  public boolean slid() {
    return slid;
  }

  /**
   * How many tokens were guessed and checked.
   *
   * @return guesses
   */
  public int guessed() {
    return guessed;
  }

  /**
   * How many of the guesses were right.
   *
   * @return tokens that needed no forward pass of their own
   */
  public int right() {
    return right;
  }

  /** Ends waiting, also for guesses; may be called from any thread. */
  public void cancel() {
    lane.cancel();
    drafter.cancel();
  }

  /** Takes back guesses that nobody has asked for, and gives up drafter and lane. */
  public void close() {
    lane.close();
    drafter.close();
    if (text != null && sequence.length() > length) {
      sequence.truncate(length);
    }
  }
}
