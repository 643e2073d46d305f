package org.llamaj.agent;

import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.grammar.Grammar;
import org.llamaj.tokenizer.chat.Conversation;

/** Decides whether a conversation may go on. May be asked from several threads. */
@FunctionalInterface
public interface SafetyCheck {
  /**
   * Looks at a conversation whose last message is new.
   *
   * @param conversation the messages of the user and the model so far
   * @return false to refuse the last one
   */
  boolean isSafe(Conversation conversation);

  /**
   * Asks a Llama Guard model, in the format of its file.
   *
   * @param guard the model; stays the caller's
   * @return safe is what the model calls safe
   */
  static SafetyCheck llamaGuard(LlamaModel guard) {
    Grammar verdict = Grammar.regex("\\s{0,2}(safe|unsafe\\nS\\d{1,2}(,S\\d{1,2})*)");
    return conversation -> {
      Generation answer =
          guard
              .prompt(guard.chatFormat().encode(conversation))
              .grammar(verdict)
              .temperature(0)
              .maxTokens(40)
              .generate();
      return answer.text().strip().equals("safe");
    };
  }
}
