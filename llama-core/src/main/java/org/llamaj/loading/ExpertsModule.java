package org.llamaj.loading;

import java.util.Optional;
import java.util.ServiceLoader;
import org.llamaj.spi.FeedForwardProvider;
import org.llamaj.transformer.Configuration;

/** Finds the module that runs layers with experts, where a model has any. */
final class ExpertsModule {
  private ExpertsModule() {}

  static Optional<FeedForwardProvider> find(Configuration configuration) {
    if (configuration.experts().count() == 0) {
      return Optional.empty();
    }
    return ServiceLoader.load(FeedForwardProvider.class, FeedForwardProvider.class.getClassLoader())
        .stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.supports(configuration))
        .findFirst();
  }
}
