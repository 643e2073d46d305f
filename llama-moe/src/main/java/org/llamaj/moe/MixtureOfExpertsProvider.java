package org.llamaj.moe;

import java.lang.foreign.Arena;
import org.llamaj.kernel.Kernels;
import org.llamaj.spi.FeedForwardProvider;
import org.llamaj.spi.FeedForwards;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.WeightSource;

/** Brings mixtures of experts to llama-core. */
public final class MixtureOfExpertsProvider implements FeedForwardProvider {

  /** For {@link java.util.ServiceLoader}. */
  public MixtureOfExpertsProvider() {}

  @Override
  public boolean supports(Configuration configuration) {
    return configuration.experts().count() > 0;
  }

  @Override
  public long scratchBytes(Configuration configuration, int maxRows) {
    return Workspace.bytes(maxRows, configuration);
  }

  @Override
  public FeedForwards open(
      Configuration configuration,
      WeightSource weights,
      Kernels kernels,
      int maxRows,
      Arena arena) {
    ReadAhead readAhead = ReadAhead.open(arena).orElse(null);
    Workspace workspace = Workspace.allocate(arena, maxRows, configuration);
    ExpertWeights experts =
        new ExpertWeights(configuration, weights, kernels, workspace, readAhead);
    return new Mixtures(configuration.experts(), experts, readAhead);
  }
}
