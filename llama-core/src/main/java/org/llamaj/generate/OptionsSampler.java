package org.llamaj.generate;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.llamaj.LlamaException;
import org.llamaj.SamplingOptions;

/** Samples as {@link SamplingOptions} say. */
public final class OptionsSampler implements Sampler {
  private final SamplingOptions options;
  private final SplittableRandom random;
  private final Candidates candidates;
  private final boolean penalties;
  private final int[] window;
  private final Map<Integer, Integer> occurrences = new HashMap<>();
  private int seen;

  /**
   * @param options how to choose
   * @param vocabularySize number of token ids
   * @throws LlamaException if a biased token is not in the vocabulary
   */
  public OptionsSampler(SamplingOptions options, int vocabularySize) {
    this.options = options;
    random =
        options.seed().isPresent()
            ? new SplittableRandom(options.seed().getAsLong())
            : new SplittableRandom();
    candidates = options.temperature() == 0 ? null : new Candidates(vocabularySize);
    penalties =
        options.penaltyWindow() > 0
            && (options.repetitionPenalty() != 1
                || options.frequencyPenalty() != 0
                || options.presencePenalty() != 0);
    window = new int[penalties ? options.penaltyWindow() : 0];
    for (int id : options.logitBias().keySet()) {
      if (id < 0 || id >= vocabularySize) {
        throw new LlamaException(
            "logitBias: expected token ids from 0 to %d, found %d"
                .formatted(vocabularySize - 1, id));
      }
    }
  }

  @Override
  public int sample(float[] logits) {
    options.logitBias().forEach((id, bias) -> logits[id] += bias);
    if (penalties) {
      occurrences.forEach((id, count) -> logits[id] = penalised(logits[id], count));
    }
    if (options.temperature() == 0) {
      return argMax(logits);
    }
    candidates.reset(logits);
    if (options.topK() > 0) {
      candidates.keepTop(options.topK());
    }
    candidates.keepNucleus(options.topP());
    candidates.keepRelative(options.minP());
    return candidates.draw(options.temperature(), random.nextDouble());
  }

  @Override
  public void accept(int token) {
    if (!penalties) {
      return;
    }
    int slot = seen % window.length;
    if (seen >= window.length) {
      occurrences.computeIfPresent(window[slot], (_, count) -> count == 1 ? null : count - 1);
    }
    window[slot] = token;
    occurrences.merge(token, 1, Integer::sum);
    seen++;
  }

  private float penalised(float logit, int count) {
    float repeated =
        logit <= 0 ? logit * options.repetitionPenalty() : logit / options.repetitionPenalty();
    return repeated - count * options.frequencyPenalty() - options.presencePenalty();
  }

  /** The index of the largest value, the first of equals. */
  private static int argMax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
