package org.llamaj;

import java.util.Objects;
import java.util.function.UnaryOperator;
import org.llamaj.tokenizer.chat.Conversation;

/** What happens when a text no longer fits the context. */
public sealed interface ContextOverflow {

  /**
   * Nothing is forgotten: a prompt that does not fit is refused with a {@link LlamaException}, a
   * generation that fills the context ends with {@link FinishReason#CONTEXT_FULL}. The default.
   */
  record Stop() implements ContextOverflow {}

  /**
   * The oldest is forgotten, and the text goes on.
   *
   * <p>A conversation keeps its system messages and the last turns that fit into half of the
   * context; the others leave {@link ChatSession#conversation}. A text, or an answer, that fills
   * the context goes on with its first tokens and the last half of the others. In both cases what
   * is kept is read again at its new place: keys have been rotated by their old position and depend
   * on what was before them, so that moving them would only be an approximation.
   *
   * @param keep how many tokens at the beginning of a prompt always stay; of no effect in
   *     conversations
   */
  record Slide(int keep) implements ContextOverflow {
    /** Checks the value. */
    public Slide {
      if (keep < 0) {
        throw new IllegalArgumentException("keep: expected 0 or more, found " + keep);
      }
    }
  }

  /**
   * A conversation is made shorter by a function of yours, that sums up its beginning for example;
   * one that is still too long is refused. Prompts that are no conversations, and answers that fill
   * the context, end as with {@link Stop}.
   *
   * @param shorten gets the conversation with the new message, which it must leave at the end
   */
  record Shorten(UnaryOperator<Conversation> shorten) implements ContextOverflow {
    /** Checks that there is a function. */
    public Shorten {
      Objects.requireNonNull(shorten, "shorten");
    }
  }

  /**
   * Nothing is forgotten.
   *
   * @return {@link Stop}
   */
  static ContextOverflow stop() {
    return new Stop();
  }

  /**
   * The oldest is forgotten.
   *
   * @return {@link Slide} that keeps no tokens of prompts, and the system messages of conversations
   */
  static ContextOverflow slide() {
    return new Slide(0);
  }
}
