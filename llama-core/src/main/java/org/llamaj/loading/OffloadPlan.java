package org.llamaj.loading;

import org.llamaj.Backend;
import org.llamaj.kernel.Offload;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.Experts;
import org.llamaj.transformer.Footprint;

/** Works out what a device takes over of a model. */
final class OffloadPlan {
  /** Of an automatic fit: longer conversations take what is left, or are refused. */
  private static final int PLANNED_TOKENS = 8192;

  /** For the driver, the kernels' code, and copies on their way. */
  private static final long SPARE_BYTES = 256L << 20;

  private OffloadPlan() {}

  static Offload of(Configuration configuration, LoadingOptions options) {
    Backend.Cuda cuda = options.backend() instanceof Backend.Cuda chosen ? chosen : Backend.cuda();
    if (cuda.gpuLayers().isPresent()) {
      return new Offload(
          cuda.device(),
          cuda.gpuLayers().getAsInt(),
          configuration.layers(),
          !cuda.expertsOnCpu(),
          0);
    }
    Footprint footprint = new Footprint(configuration, options.batchSize());
    int tokens = options.contextLength().orElse(configuration.contextLength());
    long reserved =
        footprint.cacheBytes(Math.min(tokens, PLANNED_TOKENS), options.cacheType())
            + footprint.activationBytes()
            + (cuda.expertsOnCpu() ? 0 : ofExperts(configuration, options.batchSize()))
            + SPARE_BYTES;
    return new Offload(
        cuda.device(), Integer.MAX_VALUE, configuration.layers(), !cuda.expertsOnCpu(), reserved);
  }

  /** What experts make of a batch before it is summed: hidden values and outputs. */
  private static long ofExperts(Configuration configuration, int rows) {
    Experts experts = configuration.experts();
    return (long) Float.BYTES
        * rows
        * experts.used()
        * (2L * experts.feedForwardDim() + configuration.dim());
  }
}
