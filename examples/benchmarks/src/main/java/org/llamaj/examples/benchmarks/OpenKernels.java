package org.llamaj.examples.benchmarks;

import java.lang.foreign.Arena;
import java.util.ServiceLoader;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;

/** Kernels of one provider on two threads, and memory, for the length of a trial. */
record OpenKernels(Workers workers, Kernels kernels, Arena arena) implements AutoCloseable {
  private static final int THREADS = 2;

  static OpenKernels of(String name) {
    Workers workers = new Workers(THREADS);
    KernelProvider provider =
        ServiceLoader.load(KernelProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(candidate -> candidate.name().equals(name))
            .findFirst()
            .orElseThrow();
    return new OpenKernels(workers, provider.open(workers), Arena.ofShared());
  }

  @Override
  public void close() {
    kernels.close();
    workers.close();
    arena.close();
  }
}
