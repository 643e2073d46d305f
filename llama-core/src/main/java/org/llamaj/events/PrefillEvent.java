package org.llamaj.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A prompt was read, waiting included. */
@Name("org.llamaj.Prefill")
@Label("Prefill")
@Description("A prompt was read, waiting included.")
@Category("llamaj")
@StackTrace(false)
public final class PrefillEvent extends Event {
  /** Tokens that were read */
  @Label("Tokens that were read")
  public int tokens;

  /** Tokens that were in the cache */
  @Label("Tokens that were in the cache")
  public int cached;

  /** Makes an event that has not begun. */
  public PrefillEvent() {}
}
