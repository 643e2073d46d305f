package org.llamaj.tokenizer.bpe;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.llamaj.tokenizer.TokenizerException;

/**
 * Puts any normalisation and splitting, on strings, before an encoder. What Hugging Face files
 * describe is built of these where no faster encoder does the same.
 */
public final class PipelineEncoder implements TextEncoder {
  private final UnaryOperator<String> normalizer;
  private final Function<String, List<String>> splitter;
  private final TextEncoder encoder;
  private final boolean lossless;

  /**
   * Creates an encoder.
   *
   * @param normalizer what to do to the text
   * @param splitter cuts it into words
   * @param encoder encodes each word
   * @param lossless whether the words put together are always the text
   */
  public PipelineEncoder(
      UnaryOperator<String> normalizer,
      Function<String, List<String>> splitter,
      TextEncoder encoder,
      boolean lossless) {
    this.normalizer = normalizer;
    this.splitter = splitter;
    this.encoder = encoder;
    this.lossless = lossless;
  }

  @Override
  public MergeTable rules() {
    return encoder.rules();
  }

  @Override
  public void encode(CharSequence text, int from, int to, Workspace work) {
    String part = normalizer.apply(text.subSequence(from, to).toString());
    for (String word : splitter.apply(part)) {
      if (!word.isEmpty()) {
        encoder.encode(word, 0, word.length(), work);
      }
    }
  }

  @Override
  public boolean isUnknown(int codePoint) {
    return encoder.isUnknown(codePoint);
  }

  @Override
  public boolean addsSpace(CharSequence text, int from) {
    return false;
  }

  @Override
  public void requireLossless() {
    if (!lossless) {
      throw new TokenizerException(
          "This tokenizer changes the text before it encodes it, so its tokens have no ranges of"
              + " characters");
    }
  }
}
