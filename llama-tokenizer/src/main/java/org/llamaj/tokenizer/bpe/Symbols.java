package org.llamaj.tokenizer.bpe;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The characters that the tokens of a vocabulary are made of, as the symbols that merging starts
 * from. The symbol of a character that is a token is that token's id; the others have numbers after
 * the last id.
 */
public final class Symbols {
  /** The symbol of characters that no token has. */
  static final int UNKNOWN = -1;

  private static final int PAGE = 256;
  private static final int NEIGHBOUR_BITS = 1 << 18;
  private static final int SENTENCE_PIECE_SPACE = 0x2581;

  private final int tokens;

  /** For each 256 code points their symbols, or null if all are unknown. */
  private final int[][] pages = new int[(Character.MAX_CODE_POINT + 1) / PAGE][];

  private int[] charactersOnly = new int[16];
  private int charactersOnlyCount;

  /**
   * A bit for each pair of symbols that some token has side by side, found by hash. A bit that two
   * pairs share only means that the text is not cut where it could be.
   */
  private final long[] neighbours = new long[NEIGHBOUR_BITS / Long.SIZE];

  /** Starts with no characters, for a vocabulary of so many tokens. */
  public Symbols(int tokens) {
    this.tokens = tokens;
  }

  /** Makes a token the symbol of a character. */
  public void addToken(int codePoint, int id) {
    if (of(codePoint) == UNKNOWN) {
      set(codePoint, id);
    }
  }

  /** Gives a character that is part of a token a symbol, if it has none, and returns it. */
  public int addCharacter(int codePoint) {
    int symbol = of(codePoint);
    if (symbol == UNKNOWN) {
      if (charactersOnlyCount == charactersOnly.length) {
        charactersOnly = Arrays.copyOf(charactersOnly, 2 * charactersOnlyCount);
      }
      charactersOnly[charactersOnlyCount] = codePoint;
      symbol = tokens + charactersOnlyCount++;
      set(codePoint, symbol);
    }
    return symbol;
  }

  /** Notes that a token has these two symbols side by side. */
  public void addNeighbours(int left, int right) {
    int bit = neighbourBit(left, right);
    neighbours[bit >>> 6] |= 1L << bit;
  }

  /** The symbol of a character. */
  int of(int codePoint) {
    int[] page = pages[codePoint / PAGE];
    return page == null ? UNKNOWN : page[codePoint % PAGE];
  }

  /** Whether two neighbouring symbols may become parts of one token. */
  boolean mayJoin(int left, int right) {
    if ((left | right) < 0) {
      return false;
    }
    int bit = neighbourBit(left, right);
    return (neighbours[bit >>> 6] & 1L << bit) != 0;
  }

  /** Whether a symbol is a token's id. */
  boolean isToken(int symbol) {
    return symbol >= 0 && symbol < tokens;
  }

  /** The UTF-8 bytes of a symbol that is a character but no token. */
  byte[] bytes(int symbol) {
    return Character.toString(charactersOnly[symbol - tokens]).getBytes(StandardCharsets.UTF_8);
  }

  private void set(int codePoint, int symbol) {
    int[] page = pages[codePoint / PAGE];
    if (page == null) {
      page = new int[PAGE];
      Arrays.fill(page, UNKNOWN);
      pages[codePoint / PAGE] = page;
    }
    page[codePoint % PAGE] = symbol;
    if (codePoint == ' ') {
      set(SENTENCE_PIECE_SPACE, symbol);
    }
  }

  private static int neighbourBit(int left, int right) {
    int hash = (left * 0x9e3779b1 + right) * 0x85ebca6b;
    return hash >>> Integer.numberOfLeadingZeros(NEIGHBOUR_BITS - 1);
  }
}
