package org.llamaj.kernel.vector;

import java.util.Optional;
import org.llamaj.LlamaException;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;

/**
 * Offers kernels in the Vector API. This class itself names no vector class, so that it loads and
 * can say what is missing in a JVM without the incubator module.
 */
public final class VectorKernelProvider implements KernelProvider {

  /** Made by {@link java.util.ServiceLoader}. */
  public VectorKernelProvider() {}

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public int priority() {
    return 100;
  }

  @Override
  public Optional<String> unavailable() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return Optional.of(
          "the Vector API is off; start java with --add-modules jdk.incubator.vector");
    }
    try {
      return Optional.ofNullable(Lanes.refusal());
    } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
      return Optional.of(
          "native memory access is denied; start java with --enable-native-access="
              + (getClass().getModule().isNamed()
                  ? getClass().getModule().getName()
                  : "ALL-UNNAMED"));
    }
  }

  @Override
  public Kernels open(Workers workers) {
    unavailable()
        .ifPresent(
            reason -> {
              throw new LlamaException("vector kernels cannot run: " + reason);
            });
    return new VectorKernels(workers);
  }
}
