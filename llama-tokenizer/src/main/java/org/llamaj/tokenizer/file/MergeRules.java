package org.llamaj.tokenizer.file;

import java.util.Arrays;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.bpe.ByteStringTable;
import org.llamaj.tokenizer.bpe.MergeTable;

/** Reads merge rules that are written as two tokens in the byte alphabet with a space between. */
public final class MergeRules {
  private final ByteStringTable words;
  private final MergeTable table;
  private byte[] right = new byte[256];
  private byte[] both = new byte[256];

  /** Starts with no rules, for so many. */
  public MergeRules(ByteStringTable words, int count) {
    this.words = words;
    this.table = new MergeTable(count);
  }

  /** The rules. */
  public MergeTable table() {
    return table;
  }

  /**
   * Adds a rule.
   *
   * @param where what the file calls its rules
   * @param rank the rule's place among them
   * @param rule the rule as the file writes it
   * @throws TokenizerException if it is no rule, or not one for this vocabulary
   */
  public void add(String where, int rank, byte[] rule) {
    add(where, rank, rule, 0, rule.length);
  }

  /**
   * Adds a rule that is a part of an array.
   *
   * @param where what the file calls its rules
   * @param rank the rule's place among them
   * @param source holds the rule as the file writes it
   * @param from index of its first byte
   * @param to index after its last byte
   * @throws TokenizerException if it is no rule, or not one for this vocabulary
   */
  public void add(String where, int rank, byte[] source, int from, int to) {
    int space = from + 1;
    while (space < to && source[space] != ' ') {
      space++;
    }
    if (space >= to - 1) {
      throw wrong(where, rank, source, from, to, "expected two tokens with a space between");
    }
    int longest = to - from + ByteStringTable.PADDING;
    if (both.length < longest) {
      right = new byte[longest];
      both = new byte[longest];
    }
    int leftLength = ByteAlphabet.decode(source, from, space, both);
    int rightLength = ByteAlphabet.decode(source, space + 1, to, right);
    if (leftLength < 0 || rightLength < 0) {
      throw wrong(where, rank, source, from, to, "expected characters of the byte alphabet");
    }
    System.arraycopy(right, 0, both, leftLength, rightLength);
    int length = leftLength + rightLength;
    int leftId = words.find(both, 0, leftLength);
    int rightId = words.find(both, leftLength, length);
    int merged = words.find(both, 0, length);
    if (leftId < 0 || rightId < 0 || merged < 0) {
      throw wrong(where, rank, source, from, to, "expected both parts and the whole to be tokens");
    }
    table.add(leftId, rightId, rank, merged);
  }

  private static TokenizerException wrong(
      String where, int rank, byte[] source, int from, int to, String expected) {
    String rule = GgufTokenizers.text(Arrays.copyOfRange(source, from, to));
    return new TokenizerException(
        "%s[%d]: %s, found '%s'".formatted(where, rank, expected, GgufTokenizers.abbreviate(rule)));
  }
}
