package org.llamaj.tokenizer;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The tokenizers of the reference data, each read once. */
public final class GoldenTokenizers {
  private static final Map<String, Tokenizer> TOKENIZERS = new ConcurrentHashMap<>();

  private GoldenTokenizers() {}

  /** The tokenizer of a file; skips the test where the reference data is not present. */
  public static Tokenizer get(String vocabulary) {
    Path file = Golden.file("tokenizer/" + vocabulary);
    return TOKENIZERS.computeIfAbsent(vocabulary, name -> Tokenizer.of(GgufFile.read(file)));
  }
}
