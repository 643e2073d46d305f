package org.llamaj.spi;

import java.util.function.BooleanSupplier;
import org.llamaj.Picture;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.ImageLayout;

/** An encoder with its weights. Encoding is for one thread at a time, the rest for any. */
public interface MediaEncoder extends AutoCloseable {

  /**
   * How pictures stand among the tokens of the model.
   *
   * @return says how many placeholders a picture takes
   */
  ImageLayout layout();

  /**
   * Reads the header of a picture.
   *
   * @param picture an image file
   * @return its size as it will be seen, and the picture as the source
   * @throws org.llamaj.LlamaException if it is no picture this encoder reads
   */
  Content.Image look(Picture picture);

  /**
   * Encodes one picture.
   *
   * @param picture an image file
   * @param layout that of {@link #layout} or a {@linkplain ImageLayout#smaller smaller} one
   * @param cancelled asked now and then; true ends the work
   * @return what the model reads in its place
   * @throws org.llamaj.LlamaException if it is no picture this encoder reads
   * @throws java.util.concurrent.CancellationException if the work was cancelled
   */
  MediaEncoding encode(Picture picture, ImageLayout layout, BooleanSupplier cancelled);

  /**
   * What the encoder is, for {@code describe()}.
   *
   * @return a line of text
   */
  String description();

  /** Releases what the encoder owns; not the checkpoint, not the kernels. */
  @Override
  void close();
}
