package org.llamaj.loading;

import org.llamaj.MemoryPlan;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.Footprint;

/** Tells what a checkpoint will need, from its header alone: no tensor's data is read. */
public final class MemoryPlanner {
  private MemoryPlanner() {}

  /**
   * Plans for one conversation that fills the context.
   *
   * @param checkpoint an open checkpoint
   * @param options how it would be loaded
   * @return the plan; without the activations of experts if no module on the path runs them
   * @throws org.llamaj.LlamaException if the checkpoint is no model this library runs
   */
  public static MemoryPlan plan(Checkpoint checkpoint, LoadingOptions options) {
    Configuration configuration = ConfigurationReader.read(checkpoint);
    Footprint footprint = new Footprint(configuration, options.batchSize());
    int tokens = options.contextLength().orElse(configuration.contextLength());
    long ofExperts =
        ExpertsModule.find(configuration)
            .map(module -> module.scratchBytes(configuration, options.batchSize()))
            .orElse(0L);
    return new MemoryPlan(
        QuantisedWeights.all(checkpoint, options.weights()).stream()
            .mapToLong(TensorDescription::bytes)
            .sum(),
        footprint.cacheBytes(tokens, options.cacheType()),
        footprint.activationBytes() + ofExperts);
  }
}
