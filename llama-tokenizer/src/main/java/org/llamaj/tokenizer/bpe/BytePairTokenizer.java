package org.llamaj.tokenizer.bpe;

import java.util.Map;
import java.util.OptionalInt;
import org.llamaj.tokenizer.Encoding;
import org.llamaj.tokenizer.SpecialText;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.StreamingDecoder;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** The tokenizer made of a vocabulary, an encoder for plain text, and added tokens. */
public final class BytePairTokenizer implements Tokenizer {
  private final Vocabulary vocabulary;
  private final TextEncoder encoder;
  private final AddedTokens added;
  private final SequenceTokens sequence;
  private final boolean dropsFirstSpace;

  /**
   * Puts the parts together.
   *
   * @param vocabulary the tokens
   * @param encoder encodes plain text to them
   * @param added the tokens found in text before it is encoded
   * @param sequence the tokens at the ends of sequences
   * @param dropsFirstSpace whether decoding drops a space at the start, which encoding has put
   *     there
   */
  public BytePairTokenizer(
      Vocabulary vocabulary,
      TextEncoder encoder,
      AddedTokens added,
      SequenceTokens sequence,
      boolean dropsFirstSpace) {
    this.vocabulary = vocabulary;
    this.encoder = encoder;
    this.added = added;
    this.sequence = sequence;
    this.dropsFirstSpace = dropsFirstSpace;
  }

  @Override
  public int vocabularySize() {
    return vocabulary.size();
  }

  @Override
  public int[] encode(CharSequence text, SpecialTokens allowed) {
    Workspace work = new Workspace(text.length(), encoder.rules());
    encode(text, allowed, work, null);
    return work.ids.toArray();
  }

  @Override
  public int[] encodePrompt(CharSequence text, SpecialTokens allowed) {
    Workspace work = new Workspace(text.length(), encoder.rules());
    if (sequence.addsBos()) {
      sequence.bos().ifPresent(work.ids::add);
    }
    encode(text, allowed, work, null);
    if (sequence.addsEos()) {
      sequence.eos().ifPresent(work.ids::add);
    }
    return work.ids.toArray();
  }

  @Override
  public Encoding encodeWithOffsets(CharSequence text, SpecialTokens allowed) {
    Workspace work = new Workspace(text.length(), encoder.rules());
    encoder.requireLossless();
    Offsets offsets = new Offsets(vocabulary, text);
    encode(text, allowed, work, offsets);
    return offsets.encoding(work.ids);
  }

  private void encode(CharSequence text, SpecialTokens allowed, Workspace work, Offsets offsets) {
    int from = 0;
    if (added.anyFound(allowed)) {
      AddedTokens.Match match;
      while ((match = added.find(text, from, allowed)) != null) {
        encodePlain(text, from, match.start(), work, offsets);
        work.ids.add(match.token().id());
        if (offsets != null) {
          offsets.add(match.start(), match.end());
        }
        from = match.end();
      }
    }
    encodePlain(text, from, text.length(), work, offsets);
  }

  private void encodePlain(CharSequence text, int from, int to, Workspace work, Offsets offsets) {
    if (from < to) {
      int before = work.ids.size();
      encoder.encode(text, from, to, work);
      if (offsets != null) {
        offsets.addPlain(encoder, work.ids, before, from, to);
      }
    }
  }

  @Override
  public int countTokens(CharSequence text) {
    Workspace work = new Workspace(text.length(), encoder.rules());
    encode(text, SpecialTokens.none(), work, null);
    return work.ids.size();
  }

  @Override
  public String truncate(CharSequence text, int maxTokens) {
    if (maxTokens < 0) {
      throw new IllegalArgumentException("maxTokens is negative: " + maxTokens);
    }
    String rest = text.toString();
    Encoding encoding = encodeWithOffsets(rest, SpecialTokens.none());
    // The beginning of a text can have more tokens than the text has there, hence the loop.
    for (int kept = maxTokens; encoding.size() > maxTokens; kept--) {
      if (kept == 0) {
        return "";
      }
      // A character that the next token has a share in does not fit.
      rest = rest.substring(0, Math.min(encoding.end(kept - 1), encoding.start(kept)));
      encoding = encodeWithOffsets(rest, SpecialTokens.none());
    }
    return rest;
  }

  @Override
  public String decode(int[] ids, SpecialText special) {
    Utf8Decoder.TokenBytes tokens = tokenBytes(special);
    int length = 0;
    for (int id : ids) {
      length = Math.addExact(length, tokens.length(id));
    }
    byte[] bytes = new byte[length];
    int at = 0;
    for (int id : ids) {
      tokens.copy(id, bytes, at);
      at += tokens.length(id);
    }
    int start = dropsFirstSpace && length > 0 && bytes[0] == ' ' ? 1 : 0;
    return Utf8Decoder.text(bytes, start, length);
  }

  @Override
  public StreamingDecoder streamingDecoder(SpecialText special) {
    return new Utf8Decoder(tokenBytes(special), dropsFirstSpace);
  }

  private Utf8Decoder.TokenBytes tokenBytes(SpecialText special) {
    return new Utf8Decoder.TokenBytes() {
      @Override
      public int length(int id) {
        checkId(id);
        return special == SpecialText.SKIP && isSpecial(id) ? 0 : vocabulary.length(id);
      }

      @Override
      public void copy(int id, byte[] target, int at) {
        if (length(id) > 0) {
          vocabulary.copy(id, target, at);
        }
      }
    };
  }

  @Override
  public byte[] bytes(int id) {
    checkId(id);
    return vocabulary.bytes(id);
  }

  @Override
  public String text(int id) {
    checkId(id);
    byte[] bytes = vocabulary.bytes(id);
    return Utf8Decoder.text(bytes, 0, bytes.length);
  }

  @Override
  public boolean isSpecial(int id) {
    checkId(id);
    TokenType type = vocabulary.type(id);
    return type == TokenType.CONTROL || type == TokenType.UNKNOWN;
  }

  @Override
  public OptionalInt special(String text) {
    return added.id(text);
  }

  @Override
  public Map<String, Integer> specialTokens() {
    return added.ids();
  }

  @Override
  public OptionalInt bos() {
    return sequence.bos();
  }

  @Override
  public OptionalInt eos() {
    return sequence.eos();
  }

  @Override
  public boolean addsBos() {
    return sequence.addsBos();
  }

  @Override
  public boolean addsEos() {
    return sequence.addsEos();
  }

  @Override
  public boolean isEndOfGeneration(int id) {
    return sequence.endOfGeneration().contains(id);
  }

  private void checkId(int id) {
    if (id < 0 || id >= vocabulary.size()) {
      throw new TokenizerException(
          "No token has the id %d: the vocabulary has ids 0 to %d"
              .formatted(id, vocabulary.size() - 1));
    }
  }
}
