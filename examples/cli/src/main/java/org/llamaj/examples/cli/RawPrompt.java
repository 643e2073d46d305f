package org.llamaj.examples.cli;

import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.llamaj.LlamaException;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;

/**
 * A prompt as people and evaluation files write it: raw text in which the names of special tokens
 * count as these. It comes from whoever runs the command, who is trusted.
 */
final class RawPrompt {
  private RawPrompt() {}

  /** The ids, with one begin-of-text token in front if the model expects it. */
  static int[] encode(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encode(text, SpecialTokens.all());
    int[] prompt = tokenizer.addsBos() ? withBos(tokenizer.bos(), ids) : ids;
    if (prompt.length == 0) {
      throw new LlamaException("the prompt is empty, and this model begins no text by itself");
    }
    return prompt;
  }

  private static int[] withBos(OptionalInt bos, int[] ids) {
    boolean missing = bos.isPresent() && (ids.length == 0 || ids[0] != bos.getAsInt());
    return missing
        ? IntStream.concat(IntStream.of(bos.getAsInt()), IntStream.of(ids)).toArray()
        : ids;
  }
}
