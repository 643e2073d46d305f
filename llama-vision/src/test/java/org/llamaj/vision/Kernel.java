package org.llamaj.vision;

import java.util.ServiceLoader;
import org.llamaj.kernel.KernelProvider;

/** Which kernels there are on this machine. */
final class Kernel {
  private Kernel() {}

  static boolean canRun(String name) {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .anyMatch(p -> p.name().equals(name) && p.unavailable().isEmpty());
  }
}
