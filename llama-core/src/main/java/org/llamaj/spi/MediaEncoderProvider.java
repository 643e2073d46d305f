package org.llamaj.spi;

import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;

/** Turns pictures into what a model reads. Found by {@link java.util.ServiceLoader}. */
public interface MediaEncoderProvider {

  /**
   * Whether this provider knows the encoder of a checkpoint.
   *
   * @param checkpoint a file with an encoder's weights, or a whole model
   * @return true if there is an encoder in it and {@link #open} works for its kind
   */
  boolean supports(Checkpoint checkpoint);

  /**
   * Opens the encoder.
   *
   * @param checkpoint holds the encoder's weights; stays open for as long as the encoder
   * @param dim width of the language model's residual stream
   * @param kernels the arithmetic, for this encoder alone
   * @param workers the threads of the kernels
   * @return to be closed before the checkpoint
   * @throws org.llamaj.LlamaException if the weights are not whole or do not fit the model
   */
  MediaEncoder open(Checkpoint checkpoint, int dim, Kernels kernels, Workers workers);
}
