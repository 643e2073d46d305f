package org.llamaj.tokenizer.file;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.bpe.ByteStringTable;
import org.llamaj.tokenizer.bpe.MergeTable;
import org.llamaj.tokenizer.bpe.Symbols;
import org.llamaj.tokenizer.bpe.TokenType;
import org.llamaj.tokenizer.bpe.Vocabulary;

/** Derives symbols and merge rules from the tokens of a vocabulary of characters. */
public final class CharacterMerges {
  private final Vocabulary vocabulary;
  private final ByteStringTable tokens;
  private final Symbols symbols;
  private final MergeTable rules;

  /** Finds the characters of a vocabulary. */
  public CharacterMerges(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.tokens = vocabulary.table(EnumSet.of(TokenType.NORMAL));
    this.symbols = new Symbols(vocabulary.size());
    this.rules = new MergeTable(4 * vocabulary.size());
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = text(id);
      if (text.codePointCount(0, text.length()) == 1) {
        symbols.addToken(text.codePointAt(0), id);
      }
    }
    for (int id = 0; id < vocabulary.size(); id++) {
      addNeighbours(text(id));
    }
  }

  /** The characters. */
  public Symbols symbols() {
    return symbols;
  }

  /** The rules so far. */
  public MergeTable rules() {
    return rules;
  }

  /**
   * Adds, for every token, a rule for each way to put it together from two symbols. The rank is the
   * order of the scores, the highest first; tokens of equal score share a rank.
   */
  void addByScore(float[] scores) {
    int[] ranks = ranks(scores);
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = text(id);
      if (text.isEmpty() || symbol(text) != id) {
        continue;
      }
      for (int at = text.offsetByCodePoints(0, 1);
          at < text.length();
          at = text.offsetByCodePoints(at, 1)) {
        int left = symbol(text.substring(0, at));
        int right = left < 0 ? -1 : symbol(text.substring(at));
        if (right >= 0) {
          rules.add(left, right, ranks[id], id);
        }
      }
    }
  }

  /**
   * Adds a rule that a file states.
   *
   * @param where what the file calls its rules
   * @param rank the rule's place among them
   * @param rule two tokens as the file writes them, with a space between
   * @throws TokenizerException if it is no rule, or not one for this vocabulary
   */
  public void addRule(String where, int rank, String rule) {
    int space = rule.indexOf(' ', 1);
    if (space > 0) {
      String left = SpacedPieces.unescape(rule.substring(0, space));
      String right = SpacedPieces.unescape(rule.substring(space + 1));
      int leftId = find(left);
      int rightId = find(right);
      int merged = find(left + right);
      if (leftId >= 0 && rightId >= 0 && merged >= 0) {
        rules.add(leftId, rightId, rank, merged);
        return;
      }
    }
    throw new TokenizerException(
        "%s[%d]: expected two tokens with a space between, which together are a token, found '%s'"
            .formatted(where, rank, GgufTokenizers.abbreviate(rule)));
  }

  /** The text of a token that text can have; empty for the others. */
  private String text(int id) {
    if (vocabulary.type(id) != TokenType.NORMAL) {
      return "";
    }
    String text = vocabulary.text(id);
    // A token that is no valid UTF-8 can be decoded but is never the result of encoding.
    return Arrays.equals(text.getBytes(StandardCharsets.UTF_8), vocabulary.bytes(id)) ? text : "";
  }

  private void addNeighbours(String text) {
    int previous = -1;
    for (int i = 0; i < text.length(); i = text.offsetByCodePoints(i, 1)) {
      int symbol = symbols.addCharacter(text.codePointAt(i));
      if (previous >= 0) {
        symbols.addNeighbours(previous, symbol);
      }
      previous = symbol;
    }
  }

  private int find(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return tokens.find(Arrays.copyOf(utf8, utf8.length + ByteStringTable.PADDING), 0, utf8.length);
  }

  private int symbol(String text) {
    int id = find(text);
    if (id < 0 && text.codePointCount(0, text.length()) == 1) {
      return symbols.addCharacter(text.codePointAt(0));
    }
    return id;
  }

  /** For each score how many are greater or equal: the same for equal ones. */
  private static int[] ranks(float[] scores) {
    float[] sorted = new float[scores.length];
    for (int id = 0; id < scores.length; id++) {
      sorted[id] = scores[id] + 0f; // -0 becomes 0, which sorting would tell apart
    }
    Arrays.sort(sorted);
    int[] ranks = new int[scores.length];
    for (int id = 0; id < scores.length; id++) {
      int low = 0;
      int high = sorted.length;
      while (low < high) {
        int middle = low + high >>> 1;
        if (sorted[middle] < scores[id]) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      ranks[id] = sorted.length - low;
    }
    return ranks;
  }
}
