package org.llamaj.vision.golden;

import java.util.List;
import java.util.ServiceLoader;
import org.llamaj.kernel.KernelProvider;

/** The kernels that can run on this machine. */
public final class UsableKernels {
  private UsableKernels() {}

  public static List<KernelProvider> all() {
    // The module looks for none itself: llama-core hands them over.
    UsableKernels.class.getModule().addUses(KernelProvider.class);
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.unavailable().isEmpty())
        .toList();
  }

  public static KernelProvider scalar() {
    return all().stream().filter(p -> p.name().equals("scalar")).findFirst().orElseThrow();
  }
}
