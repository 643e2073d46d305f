package org.llamaj.tokenizer;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * A typed view of the key-value metadata of a model file, with the keys of GGUF ({@code
 * tokenizer.ggml.tokens} and so on). Whoever reads the file implements it, so that this module does
 * not depend on a file format.
 *
 * <p>Every method returns an empty value when the key is absent and throws an exception that names
 * the key when its value is of another type.
 */
public interface TokenizerMetadata {
  /**
   * The value of a string key.
   *
   * @param key for example {@code tokenizer.ggml.model}
   * @return the string, or empty when the key is absent
   */
  Optional<String> string(String key);

  /**
   * The value of a key of any integer type; unsigned values keep their value.
   *
   * @param key for example {@code tokenizer.ggml.bos_token_id}
   * @return the integer, or empty when the key is absent
   */
  OptionalLong integer(String key);

  /**
   * The value of a boolean key.
   *
   * @param key for example {@code tokenizer.ggml.add_bos_token}
   * @return the boolean, or empty when the key is absent
   */
  Optional<Boolean> bool(String key);

  /**
   * The value of an array of strings, as raw bytes: tokens need not be valid UTF-8.
   *
   * @param key for example {@code tokenizer.ggml.tokens}
   * @return the strings, or empty when the key is absent
   */
  Optional<ByteStrings> strings(String key);

  /**
   * The value of an array of 32-bit floating-point numbers.
   *
   * @param key for example {@code tokenizer.ggml.scores}
   * @return the numbers, or empty when the key is absent
   */
  Optional<float[]> floats(String key);

  /**
   * The value of an array of integers of any type whose values fit 32 bits.
   *
   * @param key for example {@code tokenizer.ggml.token_type}
   * @return the integers, or empty when the key is absent
   */
  Optional<int[]> integers(String key);
}
