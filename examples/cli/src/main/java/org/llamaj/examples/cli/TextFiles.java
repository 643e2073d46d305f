package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads text, and says what is wrong when it is none. */
final class TextFiles {
  private TextFiles() {}

  static String read(Path file) throws IOException {
    return decode(Files.readAllBytes(file), file.toString());
  }

  static String decode(byte[] bytes, String source) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IOException(source + ": expected text in UTF-8, found other bytes", e);
    }
  }
}
