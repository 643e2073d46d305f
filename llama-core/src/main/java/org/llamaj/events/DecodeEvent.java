package org.llamaj.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A text was generated, after its prompt. */
@Name("org.llamaj.Decode")
@Label("Decode")
@Description("A text was generated, after its prompt.")
@Category("llamaj")
@StackTrace(false)
public final class DecodeEvent extends Event {
  /** Tokens */
  @Label("Tokens")
  public int tokens;

  /** Guessed tokens */
  @Label("Guessed tokens")
  public int guessed;

  /** Right guesses */
  @Label("Right guesses")
  public int right;

  /** Why it ended */
  @Label("Why it ended")
  public String finishReason;

  /** Makes an event that has not begun. */
  public DecodeEvent() {}
}
