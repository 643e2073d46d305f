package org.llamaj.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A model was loaded. */
@Name("org.llamaj.Load")
@Label("Load")
@Description("A model was loaded.")
@Category("llamaj")
@StackTrace(false)
public final class LoadEvent extends Event {
  /** File */
  @Label("File")
  public String model;

  /** Kernels */
  @Label("Kernels")
  public String kernels;

  /** Bytes of weights */
  @Label("Bytes of weights")
  public long bytes;

  /** Makes an event that has not begun. */
  public LoadEvent() {}
}
