package org.llamaj.tokenizer.file;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.huggingface.HuggingFaceFile;

/** Recognises tokenizer files by their content. */
public final class TokenizerFiles {
  /** Far more than any tokenizer has; whoever gives a model's weights by mistake gets a message. */
  private static final long LARGEST = 1L << 28;

  private TokenizerFiles() {}

  /**
   * Builds the tokenizer of a file.
   *
   * @param path a {@code tokenizer.model} (SentencePiece or tiktoken) or {@code tokenizer.json}
   * @return the tokenizer
   * @throws TokenizerException if the file cannot be read, is damaged, or of another kind
   */
  public static Tokenizer read(Path path) {
    byte[] data = bytes(path);
    String file = path.toString();
    if (startsWith(data, "GGUF")) {
      throw new TokenizerException(
          file + ": a GGUF file: read its metadata and use Tokenizer.of(metadata)");
    }
    if (startsWith(data, "{")) {
      return HuggingFaceFile.read(file, data);
    }
    if (TiktokenFile.looksLike(data)) {
      return TiktokenFile.read(file, data);
    }
    if (data.length == 0) {
      throw new TokenizerException(file + ": expected a tokenizer, found an empty file");
    }
    return SentencePieceFile.read(file, data);
  }

  /**
   * The content of a file.
   *
   * @param path of a tokenizer or a file that belongs to it
   * @return all of it
   * @throws TokenizerException if the file cannot be read, or is far too large
   */
  public static byte[] bytes(Path path) {
    try {
      long size = Files.size(path);
      if (size > LARGEST) {
        throw new TokenizerException(
            "%s: expected a tokenizer of at most %d bytes, found %d"
                .formatted(path, LARGEST, size));
      }
      return Files.readAllBytes(path);
    } catch (IOException e) {
      throw new TokenizerException("%s: cannot be read: %s".formatted(path, e), e);
    }
  }

  private static boolean startsWith(byte[] data, String magic) {
    byte[] expected = magic.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < expected.length; i++) {
      if (i >= data.length || data[i] != expected[i]) {
        return false;
      }
    }
    return true;
  }
}
