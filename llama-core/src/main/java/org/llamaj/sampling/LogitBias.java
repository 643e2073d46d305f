package org.llamaj.sampling;

import java.util.Map;
import org.llamaj.LlamaException;

/**
 * Adds to the logits of chosen tokens.
 *
 * @param bias what to add, by token id; negative infinity bans a token
 */
public record LogitBias(Map<Integer, Float> bias) implements SamplingStep {
  /** Copies the map. */
  public LogitBias {
    bias = Map.copyOf(bias);
    bias.values().forEach(value -> Check.that(!Float.isNaN(value), "logitBias", "a number", value));
  }

  @Override
  public Stage begin(SamplingContext context) {
    int[] ids = bias.keySet().stream().mapToInt(Integer::intValue).sorted().toArray();
    float[] values = new float[ids.length];
    for (int i = 0; i < ids.length; i++) {
      values[i] = bias.get(ids[i]);
      if (ids[i] < 0 || ids[i] >= context.vocabularySize()) {
        throw new LlamaException(
            "logitBias: expected token ids from 0 to %d, found %d"
                .formatted(context.vocabularySize() - 1, ids[i]));
      }
    }
    return candidates -> {
      for (int i = 0; i < ids.length; i++) {
        int index = candidates.indexOf(ids[i]);
        if (index >= 0) {
          candidates.setLogit(index, candidates.logit(index) + values[i]);
        }
      }
    };
  }
}
