package org.llamaj.tokenizer;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.llamaj.tokenizer.file.GgufTokenizers;
import org.llamaj.tokenizer.file.TokenizerFiles;
import org.llamaj.tokenizer.huggingface.HuggingFaceDirectory;

/**
 * Translates between text and token ids. Tokenizers are immutable and safe for use by many threads.
 *
 * <p>All methods that take text throw a {@link TokenizerException} for a text with an unpaired
 * surrogate, and all methods that take ids for an id the vocabulary does not have.
 */
public interface Tokenizer {
  /**
   * Builds the tokenizer that a model file describes.
   *
   * @param metadata the file's key-value metadata, with the keys of GGUF
   * @return the tokenizer
   * @throws TokenizerException if the metadata is incomplete, contradicts itself, or describes a
   *     kind of tokenizer that is not supported
   */
  static Tokenizer of(TokenizerMetadata metadata) {
    return GgufTokenizers.read(metadata);
  }

  /**
   * Builds the tokenizer of a file: SentencePiece's or tiktoken's {@code tokenizer.model}, or
   * Hugging Face's {@code tokenizer.json}; which of them, its content tells. GGUF files are read by
   * whoever reads models, and come here as metadata.
   *
   * @param file the file
   * @return the tokenizer
   * @throws TokenizerException if the file cannot be read, is damaged, or describes a kind of
   *     tokenizer that is not supported
   */
  static Tokenizer load(Path file) {
    return TokenizerFiles.read(file);
  }

  /**
   * Builds the tokenizer of a model's directory: of its {@code tokenizer.json}, with the first and
   * last tokens that the files beside it name ({@code generation_config.json}, {@code
   * tokenizer_config.json}, {@code special_tokens_map.json}), or else of its {@code
   * tokenizer.model}.
   *
   * @param directory of a model as on Hugging Face
   * @param vocabularySize how many ids the model has; what the tokenizer lacks becomes unused
   *     tokens
   * @return the tokenizer
   * @throws TokenizerException if there is no tokenizer, or it is damaged or of a kind that is not
   *     supported
   */
  static Tokenizer loadDirectory(Path directory, int vocabularySize) {
    return HuggingFaceDirectory.read(directory, vocabularySize);
  }

  /**
   * The number of token ids; valid ids are 0 to this number, exclusive.
   *
   * @return the size of the vocabulary
   */
  int vocabularySize();

  /**
   * Encodes plain text: no token is added before or after it, and what looks like a special token
   * in it stays text.
   *
   * @param text any text
   * @return its token ids
   */
  default int[] encode(CharSequence text) {
    return encode(text, SpecialTokens.none());
  }

  /**
   * Encodes text in which some special tokens are recognised; nothing is added before or after it.
   *
   * @param text any text
   * @param allowed the special tokens to recognise
   * @return its token ids
   */
  int[] encode(CharSequence text, SpecialTokens allowed);

  /**
   * Encodes text as {@link #encode(CharSequence, SpecialTokens)} does and tells which characters
   * each token stands for.
   *
   * @param text any text
   * @param allowed the special tokens to recognise
   * @return the tokens and their character ranges
   */
  Encoding encodeWithOffsets(CharSequence text, SpecialTokens allowed);

  /**
   * Encodes text as the start of a model's input: with the begin-of-sequence token before it if
   * {@link #addsBos()}, and the end-of-sequence token after it if {@link #addsEos()}.
   *
   * @param text any text
   * @param allowed the special tokens to recognise
   * @return the ids to feed to a model
   */
  int[] encodePrompt(CharSequence text, SpecialTokens allowed);

  /**
   * Encodes many texts in parallel, on the common pool.
   *
   * @param texts any texts
   * @param allowed the special tokens to recognise
   * @return the ids of each text, in the order of the texts
   */
  default List<int[]> encodeAll(List<? extends CharSequence> texts, SpecialTokens allowed) {
    return texts.parallelStream().map(text -> encode(text, allowed)).toList();
  }

  /**
   * How many tokens a plain text has.
   *
   * @param text any text
   * @return the length of {@code encode(text)}
   */
  int countTokens(CharSequence text);

  /**
   * The longest beginning of a plain text, in whole characters and whole tokens, that has at most
   * so many tokens.
   *
   * @param text any text
   * @param maxTokens the number of tokens there is room for
   * @return the beginning of the text, all of it if it fits
   */
  String truncate(CharSequence text, int maxTokens);

  /**
   * Turns ids back into text; special tokens appear as they are written. Bytes that are no UTF-8
   * become U+FFFD.
   *
   * @param ids token ids
   * @return their text
   */
  default String decode(int... ids) {
    return decode(ids, SpecialText.SHOW);
  }

  /**
   * Turns ids back into text. Bytes that are no UTF-8 become U+FFFD.
   *
   * @param ids token ids
   * @param special what becomes of special tokens
   * @return their text
   */
  String decode(int[] ids, SpecialText special);

  /**
   * A decoder for the ids of one sequence as they arrive; special tokens appear as they are
   * written.
   *
   * @return a new decoder
   */
  default StreamingDecoder streamingDecoder() {
    return streamingDecoder(SpecialText.SHOW);
  }

  /**
   * A decoder for the ids of one sequence as they arrive.
   *
   * @param special what becomes of special tokens
   * @return a new decoder
   */
  StreamingDecoder streamingDecoder(SpecialText special);

  /**
   * The bytes that a token stands for. They need not be whole characters.
   *
   * @param id a token id
   * @return a new array of its bytes; for a special token, of the text it is written as
   */
  byte[] bytes(int id);

  /**
   * The text that a token stands for, with U+FFFD for parts of characters.
   *
   * @param id a token id
   * @return its text; for a special token, the text it is written as
   */
  String text(int id);

  /**
   * Whether a token is special: it directs the model and stands for no text of its own, as {@code
   * <|eot_id|>} does.
   *
   * @param id a token id
   * @return true for a special token
   */
  boolean isSpecial(int id);

  /**
   * The id of a special or added token.
   *
   * @param text the token as it is written, for example {@code <|eot_id|>}
   * @return its id, or empty if there is none
   */
  OptionalInt special(String text);

  /**
   * All special and added tokens: those that may be recognised in text before it is split.
   *
   * @return their ids by the text they are written as
   */
  Map<String, Integer> specialTokens();

  /**
   * The token that begins a sequence.
   *
   * @return its id, or empty if there is none
   */
  OptionalInt bos();

  /**
   * The token that ends a sequence.
   *
   * @return its id, or empty if there is none
   */
  OptionalInt eos();

  /**
   * Whether the model expects {@link #bos()} at the start of its input.
   *
   * @return true if it does
   */
  boolean addsBos();

  /**
   * Whether the model expects {@link #eos()} at the end of its input.
   *
   * @return true if it does
   */
  boolean addsEos();

  /**
   * Whether a token ends what a model has to say: end of sequence, of turn, or of message.
   *
   * @param id a token id
   * @return true if generation should stop at it
   */
  boolean isEndOfGeneration(int id);
}
