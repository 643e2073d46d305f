package org.llamaj.tokenizer.bpe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Both ways of merging against the definition: the lowest rank, the leftmost of equal ones. */
class MergerTest {
  @Test
  void shortAndLongWordsAreMergedByTheDefinition() {
    Random random = new Random(9);
    for (int i = 0; i < 2_000; i++) {
      MergeTable rules = new MergeTable(1);
      int symbols = 2 + random.nextInt(4);
      int made = symbols;
      for (int rule = 0; rule < 12; rule++) {
        // Some rules share a rank, as pieces of equal score do.
        rules.add(random.nextInt(made), random.nextInt(made), random.nextInt(8), made++);
      }
      int[] word = random.ints(1 + random.nextInt(120), 0, symbols).toArray();
      assertThat(merged(word, rules)).isEqualTo(expected(word, rules));
    }
  }

  private static int[] merged(int[] word, MergeTable rules) {
    Merger merger = new Merger(rules);
    int[] symbols = merger.symbols(word.length);
    System.arraycopy(word, 0, symbols, 0, word.length);
    return Arrays.copyOf(symbols, merger.merge(word.length));
  }

  private static int[] expected(int[] word, MergeTable rules) {
    List<Integer> symbols = new ArrayList<>(Arrays.stream(word).boxed().toList());
    while (true) {
      int best = -1;
      long bestRank = Long.MAX_VALUE;
      for (int i = 0; i + 1 < symbols.size(); i++) {
        long found = rules.find(symbols.get(i), symbols.get(i + 1));
        if (found != MergeTable.NONE && found >>> 32 < bestRank) {
          bestRank = found >>> 32;
          best = i;
        }
      }
      if (best < 0) {
        return symbols.stream().mapToInt(Integer::intValue).toArray();
      }
      symbols.set(best, (int) rules.find(symbols.get(best), symbols.get(best + 1)));
      symbols.remove(best + 1);
    }
  }
}
