package org.llamaj.vision.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How a camera was held, as EXIF tells it: where row 0 and column 0 of the stored picture are.
 *
 * @param tag 1 to 8; 1 is upright
 */
record Orientation(int tag) {
  private static final int ORIENTATION = 0x0112;
  private static final Orientation UPRIGHT = new Orientation(1);

  /** That of a JPEG file; upright if it does not say or is of another format. */
  static Orientation of(byte[] file) {
    byte[] exif = Jpeg.exif(file);
    if (exif.length < 8) {
      return UPRIGHT;
    }
    ByteBuffer tiff = ByteBuffer.wrap(exif);
    tiff.order(exif[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    long directory = tiff.getInt(4) & 0xFFFFFFFFL;
    if (directory + 2 > exif.length) {
      return UPRIGHT;
    }
    int entries = tiff.getShort((int) directory) & 0xFFFF;
    for (int i = 0; i < entries; i++) {
      int at = (int) directory + 2 + 12 * i;
      if (at + 12 > exif.length) {
        break;
      }
      if ((tiff.getShort(at) & 0xFFFF) == ORIENTATION) {
        int tag = tiff.getShort(at + 8);
        return tag >= 1 && tag <= 8 ? new Orientation(tag) : UPRIGHT;
      }
    }
    return UPRIGHT;
  }

  boolean swapsSides() {
    return tag >= 5;
  }

  /** The picture turned and mirrored as it was seen. */
  RgbImage upright(RgbImage stored) {
    if (tag == 1) {
      return stored;
    }
    int width = swapsSides() ? stored.height() : stored.width();
    int height = swapsSides() ? stored.width() : stored.height();
    RgbImage result = RgbImage.black(width, height);
    int right = stored.width() - 1;
    int bottom = stored.height() - 1;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int column =
            switch (tag) {
              case 2, 3 -> right - x;
              case 5, 8 -> tag == 5 ? y : right - y;
              case 6 -> y;
              case 7 -> right - y;
              default -> x;
            };
        int row =
            switch (tag) {
              case 3, 4 -> bottom - y;
              case 5, 8 -> x;
              case 6, 7 -> bottom - x;
              default -> y;
            };
        System.arraycopy(
            stored.rgb(),
            3 * (row * stored.width() + column),
            result.rgb(),
            3 * (y * width + x),
            3);
      }
    }
    return result;
  }
}
