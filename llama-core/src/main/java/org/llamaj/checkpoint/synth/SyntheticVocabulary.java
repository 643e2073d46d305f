package org.llamaj.checkpoint.synth;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A byte-level BPE vocabulary of invented words: 256 byte tokens, one token for each merge, and
 * control tokens at the end, where Llama 3 and 4 have theirs.
 *
 * @param tokens by id
 * @param merges the two halves of a token with a space between
 * @param controls the first id of a control token
 * @param bos begin of text
 * @param eos end of text
 * @param eot end of turn
 */
record SyntheticVocabulary(
    byte[][] tokens, byte[][] merges, int controls, int bos, int eos, int eot) {
  private static final int BYTES = 256;
  private static final int LONGEST_PART = 6;
  private static final List<String> LLAMA_3_CONTROLS =
      List.of(
          "begin_of_text",
          "end_of_text",
          "reserved_special_token_0",
          "reserved_special_token_1",
          "finetune_right_pad_id",
          "step_id",
          "start_header_id",
          "end_header_id",
          "eom_id",
          "eot_id",
          "python_tag");
  private static final List<String> LLAMA_4_CONTROLS =
      List.of(
          "begin_of_text",
          "end_of_text",
          "fim_prefix",
          "fim_middle",
          "fim_suffix",
          "header_start",
          "header_end",
          "eom",
          "eot",
          "step");

  static SyntheticVocabulary of(ModelShape shape, long seed) {
    boolean llama4 = shape.architecture().equals("llama4");
    int size = shape.vocabulary();
    int controlCount = size < 2 * BYTES + 256 ? 32 : llama4 ? 2048 : 256;
    int controls = size - controlCount;
    List<String> tokens = new ArrayList<>(size);
    for (int codePoint : byteCharacters()) tokens.add(Character.toString(codePoint));
    List<String> merges = addWords(tokens, controls, new SplittableRandom(seed));
    List<String> names = llama4 ? LLAMA_4_CONTROLS : LLAMA_3_CONTROLS;
    for (int i = 0; i < controlCount; i++) {
      String name = i < names.size() ? names.get(i) : "reserved_special_token_" + i;
      tokens.add("<|%s|>".formatted(name));
    }
    return new SyntheticVocabulary(
        utf8(tokens),
        utf8(merges),
        controls,
        controls,
        controls + 1,
        controls + names.indexOf(llama4 ? "eot" : "eot_id"));
  }

  /** Joins random letters and earlier words to new words until there are enough tokens. */
  private static List<String> addWords(List<String> tokens, int size, SplittableRandom random) {
    List<String> words = new ArrayList<>();
    for (char letter = 'a'; letter <= 'z'; letter++) words.add(Character.toString(letter));
    Set<String> taken = new HashSet<>(tokens);
    List<String> merges = new ArrayList<>();
    while (tokens.size() < size) {
      boolean startsWord = random.nextInt(4) == 0;
      String left = startsWord ? SPACE : words.get(random.nextInt(words.size()));
      String right = words.get(random.nextInt(words.size()));
      String joined = left + right;
      if (!taken.add(joined)) continue;
      merges.add(left + " " + right);
      tokens.add(joined);
      if (!startsWord && joined.length() <= LONGEST_PART) words.add(joined);
    }
    return merges;
  }

  /** How byte-level BPE writes a space: as the first character beyond the 256 bytes' own, + 32. */
  private static final String SPACE = Character.toString(256 + ' ');

  /**
   * The characters that stand for bytes: printable ones for themselves, then the others, in order,
   * as the characters from 256 on.
   */
  private static List<Integer> byteCharacters() {
    List<Integer> characters = new ArrayList<>();
    for (int b = 0; b < BYTES; b++) {
      if (b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD) characters.add(b);
    }
    int others = BYTES - characters.size();
    for (int i = 0; i < others; i++) characters.add(BYTES + i);
    return characters;
  }

  private static byte[][] utf8(List<String> strings) {
    return strings.stream()
        .map(string -> string.getBytes(StandardCharsets.UTF_8))
        .toArray(byte[][]::new);
  }

  /** By token, as in {@code tokenizer.ggml.token_type}: 1 normal, 3 control. */
  int[] types() {
    int[] types = new int[tokens.length];
    for (int i = 0; i < types.length; i++) types[i] = i < controls ? 1 : 3;
    return types;
  }
}
