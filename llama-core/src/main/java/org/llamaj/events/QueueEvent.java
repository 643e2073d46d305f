package org.llamaj.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A prompt waited to be taken up. */
@Name("org.llamaj.Queue")
@Label("Queue")
@Description("A prompt waited to be taken up.")
@Category("llamaj")
@StackTrace(false)
public final class QueueEvent extends Event {
  /** Priority */
  @Label("Priority")
  public int priority;

  /** Makes an event that has not begun. */
  public QueueEvent() {}
}
