package org.llamaj.tokenizer;

import java.nio.file.Path;
import org.llamaj.tokenizer.file.VocabularyTables;

/**
 * A vocabulary as the tables that GGUF files hold, for programs that write such files.
 *
 * @param model {@code llama} (SentencePiece) or {@code gpt2} (byte-level BPE)
 * @param tokens by id, as they are written: with U+2581 for spaces, or in the alphabet of bytes
 * @param types by id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
 * @param scores by id, the greater the earlier merged; none for {@code gpt2}
 * @param merges two tokens with a space between, the first rule first; none for {@code llama}
 */
public record VocabularyTable(
    String model, byte[][] tokens, int[] types, float[] scores, byte[][] merges) {

  /**
   * Reads SentencePiece's or tiktoken's {@code tokenizer.model}.
   *
   * @param file the file
   * @return its tables
   * @throws TokenizerException if the file cannot be read, is damaged, or of another kind
   */
  public static VocabularyTable read(Path file) {
    return VocabularyTables.read(file);
  }
}
