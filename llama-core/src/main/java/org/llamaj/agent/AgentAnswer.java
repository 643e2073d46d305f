package org.llamaj.agent;

import java.util.List;

/**
 * What an agent has to say.
 *
 * @param text the answer; empty if there is none
 * @param runs all tools that ran on the way, in order
 * @param outcome how it ended
 */
public record AgentAnswer(String text, List<ToolRun> runs, Outcome outcome) {
  /** How the work on an answer ended. */
  public enum Outcome {
    /** With an answer. */
    ANSWERED,
    /** With a part of an answer: a limit of the options cut it off. */
    CUT_OFF,
    /** The model went on calling tools beyond the limit of steps. */
    STEP_LIMIT,
    /** A safety check refused what the user said; the model was not asked. */
    REFUSED_INPUT,
    /** A safety check refused what the model said; it is not told. */
    REFUSED_OUTPUT
  }

  /** Copies the list. */
  public AgentAnswer {
    runs = List.copyOf(runs);
  }
}
