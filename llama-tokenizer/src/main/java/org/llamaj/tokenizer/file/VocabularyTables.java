package org.llamaj.tokenizer.file;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.VocabularyTable;

/** Reads {@code tokenizer.model} files as tables. */
public final class VocabularyTables {
  private static final int NORMAL = 1;
  private static final int CONTROL = 3;

  private VocabularyTables() {}

  /**
   * Reads a file.
   *
   * @param path SentencePiece's or tiktoken's
   * @return its tables
   */
  public static VocabularyTable read(Path path) {
    byte[] data = TokenizerFiles.bytes(path);
    String file = path.toString();
    return TiktokenFile.looksLike(data)
        ? byteLevel(TiktokenFile.read(file, data))
        : SentencePieceFile.table(file, data);
  }

  private static VocabularyTable byteLevel(Tokenizer tokenizer) {
    int size = tokenizer.vocabularySize();
    byte[][] tokens = new byte[size][];
    int[] types = new int[size];
    Map<String, Integer> ranks = new HashMap<>();
    for (int id = 0; id < size; id++) {
      boolean special = tokenizer.isSpecial(id);
      byte[] bytes = tokenizer.bytes(id);
      types[id] = special ? CONTROL : NORMAL;
      tokens[id] = special ? bytes : ByteAlphabet.encode(bytes);
      if (!special) ranks.put(latin(bytes), id);
    }
    List<byte[]> merges = new ArrayList<>();
    for (int id = 0; id < size; id++) {
      if (types[id] == NORMAL) addMerges(latin(tokenizer.bytes(id)), ranks, merges);
    }
    return new VocabularyTable("gpt2", tokens, types, new float[0], merges.toArray(byte[][]::new));
  }

  /** Every way to put a token together from two others, those of the lowest ranks first. */
  private static void addMerges(String token, Map<String, Integer> ranks, List<byte[]> merges) {
    List<String[]> ways = new ArrayList<>();
    for (int i = 1; i < token.length(); i++) {
      String left = token.substring(0, i);
      String right = token.substring(i);
      if (ranks.containsKey(left) && ranks.containsKey(right)) {
        ways.add(new String[] {left, right});
      }
    }
    ways.sort(
        Comparator.comparing((String[] way) -> ranks.get(way[0]))
            .thenComparing(way -> ranks.get(way[1])));
    for (String[] way : ways) {
      byte[] left = ByteAlphabet.encode(way[0].getBytes(StandardCharsets.ISO_8859_1));
      byte[] right = ByteAlphabet.encode(way[1].getBytes(StandardCharsets.ISO_8859_1));
      byte[] merge = Arrays.copyOf(left, left.length + 1 + right.length);
      merge[left.length] = ' ';
      System.arraycopy(right, 0, merge, left.length + 1, right.length);
      merges.add(merge);
    }
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
