package org.llamaj.spi;

import java.nio.file.Path;
import org.llamaj.kernel.Kernels;
import org.llamaj.transformer.Configuration;

/** Turns pictures into what a model reads. Found by {@link java.util.ServiceLoader}. */
public interface MediaEncoderProvider {

  /**
   * Whether this provider has an encoder for the model.
   *
   * @param configuration proportions of the language model
   * @return true if {@link #open} works for it
   */
  boolean supports(Configuration configuration);

  /**
   * Opens the encoder.
   *
   * @param weights the file or folder with the encoder's weights
   * @param configuration proportions of the language model
   * @param kernels the arithmetic to use
   * @return to be closed with the model
   * @throws org.llamaj.LlamaException if the weights do not fit the model
   */
  MediaEncoder open(Path weights, Configuration configuration, Kernels kernels);

  /** An encoder with its weights. Used by one thread at a time. */
  interface MediaEncoder extends AutoCloseable {

    /**
     * Encodes one picture.
     *
     * @param image the bytes of an image file
     * @return what the model reads in its place
     * @throws org.llamaj.LlamaException if the bytes are no picture
     */
    MediaEncoding encode(byte[] image);

    /** Releases the weights. */
    @Override
    void close();
  }
}
