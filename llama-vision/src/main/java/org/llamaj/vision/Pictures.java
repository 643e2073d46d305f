package org.llamaj.vision;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;
import org.llamaj.LlamaException;
import org.llamaj.Picture;

/** Pictures from what Java programs draw. */
public final class Pictures {
  private Pictures() {}

  /**
   * A picture of an image in memory.
   *
   * @param image any image; not kept
   * @return the picture, as a PNG
   * @throws LlamaException if the image is of a kind that cannot be written as PNG
   */
  public static Picture of(BufferedImage image) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, "png", bytes)) {
        throw new LlamaException(
            "the image cannot be written as PNG: draw it on one of type INT_RGB first");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Picture.of(bytes.toByteArray());
  }
}
