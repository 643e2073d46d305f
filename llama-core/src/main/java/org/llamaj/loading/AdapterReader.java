package org.llamaj.loading;

import java.util.LinkedHashMap;
import java.util.Map;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.LowRankAdapter;
import org.llamaj.transformer.LowRankPair;
import org.llamaj.transformer.Transformer;

/** Binds a file's pairs of thin matrices to the projections of a model that is loaded. */
public final class AdapterReader {
  private AdapterReader() {}

  /**
   * Prepares an adapter.
   *
   * @param file must stay open until the adapter is released
   * @param transformer the model's
   * @return the adapter
   * @throws CheckpointException if it is not one of this model
   */
  public static LowRankAdapter bind(AdapterCheckpoint file, Transformer transformer) {
    Configuration model = transformer.configuration();
    boolean halfSplit = model.rope().pairs() == RotaryPairs.HALF_SPLIT;
    Map<String, LowRankPair> pairs = new LinkedHashMap<>();
    file.pairsFor(model.architecture(), halfSplit, model.headDim())
        .forEach(
            (weight, pair) ->
                pairs.put(weight, new LowRankPair(pair.down(), pair.up(), (float) pair.scaling())));
    try {
      return transformer.adapter(file.source(), pairs);
    } catch (LlamaException e) {
      throw new CheckpointException(file.source() + ": " + e.getMessage(), e);
    }
  }
}
