package org.llamaj.tokenizer.bpe;

import java.nio.charset.StandardCharsets;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.split.CodePoints;

/**
 * Byte-pair encoding of characters, as SentencePiece does it: the whole text is one word whose
 * characters are merged; characters without a token become bytes.
 *
 * <p>A text of any length is encoded in pieces all the same: two neighbouring characters that no
 * token has side by side can never be merged into one, so the text may be cut between them.
 *
 * <p>A space stands for SentencePiece's U+2581 everywhere here; the two are one character to it.
 */
public final class CharacterEncoder implements TextEncoder {
  private static final int BLOCK = 1 << 16;

  /** A longer piece without a place to cut is refused: it would take too much memory. */
  private static final int LONGEST_PIECE = 1 << 26;

  private final MergeTable rules;
  private final Symbols symbols;
  private final int[] byteIds;
  private final int unknownId;
  private final SpacePrefix prefix;
  private final WordCache cache = new WordCache();

  /**
   * Creates an encoder.
   *
   * @param symbols the characters that tokens are made of
   * @param rules the merge rules
   * @param byteIds the tokens of the 256 bytes, -1 where there is none
   * @param unknownId the token for what has no other token, -1 if there is none
   * @param prefix where a space is put before a text
   */
  public CharacterEncoder(
      Symbols symbols, MergeTable rules, int[] byteIds, int unknownId, SpacePrefix prefix) {
    this.symbols = symbols;
    this.rules = rules;
    this.byteIds = byteIds.clone();
    this.unknownId = unknownId;
    this.prefix = prefix;
  }

  @Override
  public MergeTable rules() {
    return rules;
  }

  @Override
  public boolean addsSpace(CharSequence text, int from) {
    return prefix.isAdded(text, from);
  }

  @Override
  public void requireLossless() {}

  @Override
  public boolean isUnknown(int codePoint) {
    if (symbols.isToken(symbols.of(codePoint))) {
      return false;
    }
    for (byte b : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
      if (byteIds[b & 0xff] < 0) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void encode(CharSequence text, int from, int to, Workspace work) {
    work.length = 0;
    if (prefix.isAdded(text, from)) {
      work.append((byte) ' ');
    }
    for (int at = from; at < to; ) {
      at = work.append(text, at, to, Math.max(BLOCK, work.length));
      int done = encodePieces(work, at == to);
      work.dropFirst(done);
      if (work.length > LONGEST_PIECE) {
        throw new TokenizerException(
            "The text has a run of more than %d bytes before index %d that cannot be cut;"
                    .formatted(LONGEST_PIECE, at)
                + " encode it in parts");
      }
    }
  }

  /** Encodes the pieces of a block, without the last one if more may follow, and says how far. */
  private int encodePieces(Workspace work, boolean last) {
    byte[] utf8 = work.utf8;
    int start = 0;
    int previous = Symbols.UNKNOWN;
    for (int at = 0; at < work.length; ) {
      int codePoint = CodePoints.codePointAt(utf8, at);
      int symbol = symbols.of(codePoint);
      if (at > start && !symbols.mayJoin(previous, symbol)) {
        encodePiece(work, start, at);
        start = at;
      }
      previous = symbol;
      at += CodePoints.lengthAt(utf8, at);
    }
    if (last && start < work.length) {
      encodePiece(work, start, work.length);
      start = work.length;
    }
    return start;
  }

  private void encodePiece(Workspace work, int from, int to) {
    byte[] utf8 = work.utf8;
    if (from + CodePoints.lengthAt(utf8, from) == to) {
      emit(symbols.of(CodePoints.codePointAt(utf8, from)), utf8, from, to, work.ids);
      return;
    }
    long hash = ByteStringTable.hash(utf8, from, to);
    int[] known = cache.find(utf8, from, to, hash);
    if (known != null) {
      work.ids.addAll(known, known.length);
      return;
    }
    int before = work.ids.size();
    int[] word = work.merger.symbols(to - from);
    int count = 0;
    for (int at = from; at < to; at += CodePoints.lengthAt(utf8, at)) {
      word[count++] = symbols.of(CodePoints.codePointAt(utf8, at));
    }
    count = work.merger.merge(count);
    for (int i = 0; i < count; i++) {
      if (symbols.isToken(word[i])) {
        work.ids.add(word[i]);
      } else {
        byte[] character = symbols.bytes(word[i]);
        emit(word[i], character, 0, character.length, work.ids);
      }
    }
    cache.put(utf8, from, to, hash, work.ids, before);
  }

  /** Adds a symbol: its token if it is one, otherwise its bytes. */
  private void emit(int symbol, byte[] utf8, int from, int to, IntList ids) {
    if (symbols.isToken(symbol)) {
      ids.add(symbol);
      return;
    }
    for (int i = from; i < to; i++) {
      int id = byteIds[utf8[i] & 0xff];
      if (id < 0) {
        emitUnknown(utf8[i], ids);
        return;
      }
      ids.add(id);
    }
  }

  private void emitUnknown(byte value, IntList ids) {
    if (unknownId < 0) {
      throw new TokenizerException(
          ("The vocabulary has no token for the byte 0x%02X and none for unknown text, so this"
                  + " text cannot be encoded")
              .formatted(value));
    }
    // SentencePiece gives one unknown token for a run of unknown characters.
    if (ids.size() == 0 || ids.get(ids.size() - 1) != unknownId) {
      ids.add(unknownId);
    }
  }
}
