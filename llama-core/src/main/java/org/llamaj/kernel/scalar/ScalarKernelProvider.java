package org.llamaj.kernel.scalar;

import java.util.Optional;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;

/** Offers the plain reference kernels, which run everywhere. */
public final class ScalarKernelProvider implements KernelProvider {

  /** Made by {@link java.util.ServiceLoader}. */
  public ScalarKernelProvider() {}

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public Optional<String> unavailable() {
    return Optional.empty();
  }

  @Override
  public Kernels open(Workers workers) {
    return new ScalarKernels(workers);
  }
}
