package org.llamaj.moe;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One layer's mixture in a forward pass, for JDK Flight Recorder. */
@Name("org.llamaj.Experts")
@Label("Mixture of Experts")
@Description("One layer of a forward pass: which part of the weights it needed")
@Category("llamaj")
@Enabled(false)
@StackTrace(false)
final class ExpertsEvent extends Event {
  @Label("Layer")
  int layer;

  @Label("Tokens")
  int tokens;

  @Label("Experts Used")
  int experts;

  @Label("Weights Read")
  @DataAmount
  long weightBytes;

  @Label("Read Ahead")
  @Description("Whether the weights were asked for before they were needed")
  boolean readAhead;

  @Label("Found in Memory")
  @Description("How much of what was asked for ahead was in memory already")
  @DataAmount
  long residentBytes;
}
