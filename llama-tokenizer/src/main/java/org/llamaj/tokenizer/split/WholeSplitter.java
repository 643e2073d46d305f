package org.llamaj.tokenizer.split;

/** Takes every text for one word, where something else has split it before. */
public final class WholeSplitter implements Splitter {
  @Override
  public int wordEnd(byte[] utf8, int from, int limit) {
    return limit;
  }

  @Override
  public int maxRun() {
    return Integer.MAX_VALUE;
  }
}
