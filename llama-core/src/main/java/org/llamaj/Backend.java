package org.llamaj;

import java.util.OptionalInt;

/**
 * What a model computes on: {@code builder.backend(Backend.auto())}. Only CUDA is there besides the
 * processor.
 */
public sealed interface Backend {

  /** The processor alone. */
  record Cpu() implements Backend {}

  /** A device if there is one that can be used, otherwise the processor. */
  record Auto() implements Backend {}

  /**
   * An NVIDIA device of compute capability 8.0 or better; loading fails if there is none. What does
   * not fit into its memory is left to the processor, with a warning.
   *
   * @param device its number among the machine's devices
   * @param gpuLayers how many layers the device takes over, from the first on; a number greater
   *     than the model's for all of it; empty for as many as fit beside keys and values
   * @param expertsOnCpu whether the experts of mixtures stay in main memory, which is how models
   *     that are much larger than the device's memory run
   */
  record Cuda(int device, OptionalInt gpuLayers, boolean expertsOnCpu) implements Backend {

    /** Checks the numbers. */
    public Cuda {
      if (device < 0) {
        throw new IllegalArgumentException("device: expected 0 or more, found " + device);
      }
      if (gpuLayers.isPresent() && gpuLayers.getAsInt() < 0) {
        throw new IllegalArgumentException(
            "gpuLayers: expected 0 or more, found " + gpuLayers.getAsInt());
      }
    }

    /**
     * Another device.
     *
     * @param number from 0
     * @return this with another device
     */
    public Cuda onDevice(int number) {
      return new Cuda(number, gpuLayers, expertsOnCpu);
    }

    /**
     * A fixed number of layers.
     *
     * @param layers at least 0
     * @return this with so many layers on the device
     */
    public Cuda gpuLayers(int layers) {
      return new Cuda(device, OptionalInt.of(layers), expertsOnCpu);
    }

    /**
     * Experts stay with the processor.
     *
     * @return this without experts on the device
     */
    public Cuda keepExpertsOnCpu() {
      return new Cuda(device, gpuLayers, true);
    }
  }

  /**
   * The processor alone.
   *
   * @return the backend
   */
  static Backend cpu() {
    return new Cpu();
  }

  /**
   * A device if one can be used. {@link LlamaModel#describe} tells what was chosen, and why nothing
   * better.
   *
   * @return the backend
   */
  static Backend auto() {
    return new Auto();
  }

  /**
   * The first NVIDIA device, and as much of the model on it as fits.
   *
   * @return the backend
   */
  static Cuda cuda() {
    return new Cuda(0, OptionalInt.empty(), false);
  }
}
