package org.llamaj.vision;

import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.spi.MediaEncoder;
import org.llamaj.spi.MediaEncoderProvider;
import org.llamaj.vision.llama4.Llama4Vision;
import org.llamaj.vision.mllama.MllamaVision;

/** Opens the image encoders of Meta's models. Found by {@link java.util.ServiceLoader}. */
public final class VisionProvider implements MediaEncoderProvider {

  /** For {@link java.util.ServiceLoader}. */
  public VisionProvider() {}

  @Override
  public boolean supports(Checkpoint checkpoint) {
    return Llama4Vision.isIn(checkpoint) || MllamaVision.isIn(checkpoint);
  }

  @Override
  public MediaEncoder open(Checkpoint checkpoint, int dim, Kernels kernels, Workers workers) {
    return MllamaVision.isIn(checkpoint)
        ? MllamaVision.open(checkpoint, dim, kernels, workers)
        : Llama4Vision.open(checkpoint, dim, kernels, workers);
  }
}
