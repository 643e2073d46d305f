package org.llamaj.generate;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.llamaj.LlamaException;
import org.llamaj.Score;
import org.llamaj.TokenProbability;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/** Asks a model how probable given tokens are. */
public final class Scorer {
  /** Logits are large: a pass keeps to this many of them. */
  private static final int MOST_LOGITS = 1 << 24;

  private final Transformer transformer;
  private final Tokenizer tokenizer;

  /**
   * @param transformer the model
   * @param tokenizer of the model
   */
  public Scorer(Transformer transformer, Tokenizer tokenizer) {
    this.transformer = transformer;
    this.tokenizer = tokenizer;
  }

  /**
   * Scores the end of a sequence.
   *
   * @param ids all tokens
   * @param from index of the first one to score, at least 1
   * @param alternatives how many of the most probable tokens to tell at each place
   * @return the tokens from there on
   * @throws LlamaException if the context is too short
   */
  public Score score(int[] ids, int from, int alternatives) {
    Probabilities probabilities =
        new Probabilities(tokenizer, transformer.configuration().vocabularySize(), alternatives);
    List<TokenProbability> scored = new ArrayList<>();
    try (Sequence sequence = transformer.newSequence()) {
      if (ids.length - 1 > sequence.contextLength()) {
        throw new LlamaException(
            "expected a text of at most %d tokens, which the context holds, found %d: raise the"
                    .formatted(sequence.contextLength() + 1, ids.length)
                + " context length, or use perplexity(text), which takes windows");
      }
      Batch batch = transformer.newBatch();
      int most = Math.clamp(MOST_LOGITS / tokenizer.vocabularySize(), 1, batch.capacity());
      for (int start = 0; start < ids.length - 1; ) {
        boolean reading = start < from - 1;
        int end =
            Math.min(
                reading ? from - 1 : ids.length - 1, start + (reading ? batch.capacity() : most));
        batch.clear();
        for (int i = start; i < end; i++) {
          batch.add(sequence, ids[i]);
          if (!reading) {
            batch.wantLogits();
          }
        }
        transformer.forward(batch);
        for (int i = start; !reading && i < end; i++) {
          probabilities.observe(batch.logits(i - start));
          scored.add(probabilities.of(ids[i + 1]));
        }
        start = end;
      }
    } catch (CancellationException e) {
      throw new LlamaException("the model was closed while a text was scored", e);
    }
    return new Score(scored);
  }

  /**
   * Scores a text of any length: in windows of the context, each of which begins half a window
   * after the one before and scores its second half (the first one all of it).
   *
   * @param ids all tokens
   * @param window tokens of a window
   * @return all tokens but the first
   */
  public Score scoreLong(int[] ids, int window) {
    if (ids.length <= window) {
      return score(ids, 1, 0);
    }
    List<TokenProbability> scored = new ArrayList<>();
    int half = Math.max(1, window / 2);
    int done = 1;
    for (int start = 0; done < ids.length; start += half) {
      int end = Math.min(ids.length, start + window);
      int[] part = new int[end - start];
      System.arraycopy(ids, start, part, 0, part.length);
      if (start > 0 && tokenizer.addsBos()) {
        part[0] = tokenizer.bos().getAsInt();
      }
      scored.addAll(score(part, done - start, 0).tokens());
      done = end;
    }
    return new Score(scored);
  }
}
