package org.llamaj.kernel;

import java.util.Optional;

/**
 * Offers kernels for one instruction set or device. Found by {@link java.util.ServiceLoader}; at
 * load the usable provider of the highest {@link #priority} is taken, unless the system property
 * {@code llamaj.kernels} or the model builder names one.
 */
public interface KernelProvider {

  /**
   * The name users choose it by.
   *
   * @return a short lower-case word, for example {@code vector}
   */
  String name();

  /**
   * How good its kernels are where they can run.
   *
   * @return higher is better; the plain reference has 0
   */
  int priority();

  /**
   * Why the kernels cannot run in this JVM on this machine.
   *
   * @return empty when they can run, otherwise a reason a user can act on
   */
  Optional<String> unavailable();

  /**
   * Opens kernels for one model.
   *
   * @param workers the threads to compute on; not closed by the kernels
   * @return kernels to be closed with the model
   * @throws org.llamaj.LlamaException if the provider is not available
   */
  Kernels open(Workers workers);

  /**
   * Opens kernels for one model, on a device if they are for one.
   *
   * @param workers the threads to compute on; not closed by the kernels
   * @param offload what the device takes over; without effect on kernels of the processor
   * @return kernels to be closed with the model
   * @throws org.llamaj.LlamaException if the provider is not available
   */
  default Kernels open(Workers workers, Offload offload) {
    return open(workers);
  }

  /**
   * Whether the kernels run on a device with memory of its own.
   *
   * @return false for those of the processor
   */
  default boolean isDevice() {
    return false;
  }
}
