package org.llamaj.tokenizer.bpe;

import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.split.RunCutter;
import org.llamaj.tokenizer.split.Splitter;

/**
 * Byte-level byte-pair encoding, as tiktoken and GPT-2 do it: the text is split into words, each is
 * looked up whole, and if there is no such token its bytes are merged.
 */
public final class ByteEncoder implements TextEncoder {
  /** Meta's tokenizers cut long texts into blocks of so many code points before all else. */
  private static final int BLOCK_CODE_POINTS = 400_000;

  private final ByteStringTable words;
  private final MergeTable rules;
  private final Splitter splitter;
  private final boolean wholeWordsFirst;
  private final int[] byteIds = new int[256];
  private final WordCache cache = new WordCache();

  /**
   * Creates an encoder.
   *
   * @param words the tokens that text can have
   * @param rules the merge rules
   * @param splitter cuts text into words
   * @param wholeWordsFirst whether a word that is a token is taken whole, even if merging its bytes
   *     would give something else ({@code ignore_merges})
   */
  public ByteEncoder(
      ByteStringTable words, MergeTable rules, Splitter splitter, boolean wholeWordsFirst) {
    this.words = words;
    this.rules = rules;
    this.splitter = splitter;
    this.wholeWordsFirst = wholeWordsFirst;
    byte[] one = new byte[1 + ByteStringTable.PADDING];
    for (int b = 0; b < 256; b++) {
      one[0] = (byte) b;
      byteIds[b] = words.find(one, 0, 1);
    }
  }

  @Override
  public MergeTable rules() {
    return rules;
  }

  @Override
  public boolean addsSpace(CharSequence text, int from) {
    return false;
  }

  @Override
  public void requireLossless() {}

  @Override
  public boolean isUnknown(int codePoint) {
    return false;
  }

  @Override
  public void encode(CharSequence text, int from, int to, Workspace work) {
    int maxRun = splitter.maxRun();
    int block = maxRun == Integer.MAX_VALUE ? Integer.MAX_VALUE : BLOCK_CODE_POINTS;
    for (int at = from; at < to; ) {
      work.length = 0;
      at = work.append(text, at, to, block);
      int start = 0;
      if (work.length > maxRun) {
        RunCutter runs = new RunCutter(work.utf8, work.length, maxRun);
        for (int cut = runs.nextCut(); cut > 0; cut = runs.nextCut()) {
          encodeWords(work, start, cut);
          start = cut;
        }
      }
      encodeWords(work, start, work.length);
    }
    work.length = 0;
  }

  private void encodeWords(Workspace work, int from, int to) {
    byte[] utf8 = work.utf8;
    IntList ids = work.ids;
    for (int start = from; start < to; ) {
      int end = splitter.wordEnd(utf8, start, to);
      long hash = ByteStringTable.hash(utf8, start, end);
      int whole = wholeWordsFirst ? words.find(utf8, start, end, hash) : -1;
      if (whole >= 0) {
        ids.add(whole);
      } else {
        encodeWord(work, start, end, hash);
      }
      start = end;
    }
  }

  private void encodeWord(Workspace work, int from, int to, long hash) {
    int[] known = cache.find(work.utf8, from, to, hash);
    if (known != null) {
      work.ids.addAll(known, known.length);
      return;
    }
    int[] symbols = work.merger.symbols(to - from);
    for (int i = from; i < to; i++) {
      int id = byteIds[work.utf8[i] & 0xff];
      if (id < 0) {
        throw new TokenizerException(
            "The vocabulary has no token for the byte 0x%02X, so this text cannot be encoded"
                .formatted(work.utf8[i]));
      }
      symbols[i - from] = id;
    }
    int count = work.merger.merge(to - from);
    int before = work.ids.size();
    work.ids.addAll(symbols, count);
    cache.put(work.utf8, from, to, hash, work.ids, before);
  }
}
