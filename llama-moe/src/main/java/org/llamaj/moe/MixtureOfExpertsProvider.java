package org.llamaj.moe;

import org.llamaj.spi.FeedForwardContext;
import org.llamaj.spi.FeedForwardProvider;
import org.llamaj.spi.FeedForwards;
import org.llamaj.transformer.Configuration;

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
  public FeedForwards open(FeedForwardContext context) {
    return new Mixtures(context);
  }
}
