package org.llamaj.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A forward pass was made. */
@Name("org.llamaj.Step")
@Label("Step")
@Description("A forward pass was made.")
@Category("llamaj")
@StackTrace(false)
public final class StepEvent extends Event {
  /** Sequences */
  @Label("Sequences")
  public int sequences;

  /** Tokens of all of them */
  @Label("Tokens of all of them")
  public int rows;

  /** Makes an event that has not begun. */
  public StepEvent() {}
}
