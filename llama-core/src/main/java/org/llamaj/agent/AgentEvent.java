package org.llamaj.agent;

import org.llamaj.tokenizer.chat.Content;

/** What happens while an agent works on an answer. */
public sealed interface AgentEvent {
  /**
   * More of the answer.
   *
   * @param text never empty
   */
  record Text(String text) implements AgentEvent {}

  /**
   * A tool begins to run.
   *
   * @param call what the model asks for
   */
  record CallStarted(Content.ToolCall call) implements AgentEvent {}

  /**
   * A tool has run, or was refused.
   *
   * @param run the call and what came of it
   */
  record CallFinished(ToolRun run) implements AgentEvent {}
}
