package org.llamaj;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Objects;

/**
 * An image file, for a model that sees: the bytes of a PNG, JPEG, BMP or GIF, or of a WebP where
 * {@code com.twelvemonkeys.imageio:imageio-webp} is on the class path. Immutable. Two pictures are
 * equal if their bytes are, and a model looks at equal pictures once.
 */
public final class Picture {

  /** Longer files are refused before they are read. */
  static final long MAX_BYTES = 64L << 20;

  private final String source;
  private final byte[] bytes;
  private final String hash;

  private Picture(String source, byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      throw tooLong(source, bytes.length);
    }
    this.source = source;
    this.bytes = bytes;
    hash = HexFormat.of().formatHex(sha256(bytes));
  }

  /**
   * Reads a file. It is decoded when a model looks at it.
   *
   * @param file a PNG, JPEG, BMP, GIF or, with its plug-in, WebP
   * @return the picture
   * @throws LlamaException if the file cannot be read or is longer than 64 MiB
   */
  public static Picture of(Path file) {
    Objects.requireNonNull(file, "file");
    try {
      long size = Files.size(file);
      if (size > MAX_BYTES) {
        throw tooLong(file.toString(), size);
      }
      return new Picture(file.toString(), Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new LlamaException("%s: no such file".formatted(file.toAbsolutePath()), e);
    } catch (IOException e) {
      throw new LlamaException("%s: cannot be read: %s".formatted(file, e), e);
    }
  }

  /**
   * The bytes of an image file.
   *
   * @param bytes a PNG, JPEG, BMP, GIF or, with its plug-in, WebP; copied
   * @return the picture
   * @throws LlamaException if there are more than 64 MiB
   */
  public static Picture of(byte[] bytes) {
    return new Picture("the picture", bytes.clone());
  }

  /**
   * A picture as web pages and chat services hand it over.
   *
   * @param url {@code data:image/png;base64,...}
   * @return the picture
   * @throws LlamaException if it is no data URL in base 64
   */
  public static Picture ofDataUrl(String url) {
    int comma = url.indexOf(',');
    String head = comma < 0 ? "" : url.substring(0, comma);
    if (!head.startsWith("data:") || !head.endsWith(";base64")) {
      throw new LlamaException(
          "expected a picture as data:image/png;base64,..., found '%s'"
              .formatted(url.substring(0, Math.min(40, url.length()))));
    }
    try {
      return new Picture("the data URL", Base64.getDecoder().decode(url.substring(comma + 1)));
    } catch (IllegalArgumentException e) {
      throw new LlamaException("the data URL is not in base 64: " + e.getMessage(), e);
    }
  }

  /**
   * What messages call the picture.
   *
   * @return the file's name, or words
   */
  public String source() {
    return source;
  }

  /**
   * The file's content.
   *
   * @return a copy
   */
  public byte[] bytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Picture picture && Objects.equals(hash, picture.hash);
  }

  @Override
  public int hashCode() {
    return hash.hashCode();
  }

  @Override
  public String toString() {
    return "%s, %d bytes, SHA-256 %s".formatted(source, bytes.length, hash);
  }

  private static LlamaException tooLong(String source, long size) {
    return new LlamaException(
        "%s: expected an image file of at most %d bytes, found %d"
            .formatted(source, MAX_BYTES, size));
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }
}
