package org.llamaj.tokenizer.split;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Cuts after long runs, against a loop over all code points. */
class RunCutterTest {
  private static final String[] UNITS = {"a", " ", "\u00e9", "\u3000", "\ud83d\ude42", "\u001c"};

  @Test
  void jumpsMissNoCut() {
    Random random = new Random(8);
    int cuts = 0;
    for (int i = 0; i < 3_000; i++) {
      int maxRun = 8 + random.nextInt(60);
      StringBuilder text = new StringBuilder();
      for (int run = random.nextInt(12); run >= 0; run--) {
        String unit = UNITS[random.nextInt(UNITS.length)];
        text.append(unit.repeat(random.nextInt(random.nextInt(4) == 0 ? 3 * maxRun : 5)));
      }
      List<Integer> expected = expected(text.toString(), maxRun);
      assertThat(cuts(text.toString(), maxRun)).as("%d: %s", maxRun, text).isEqualTo(expected);
      cuts += expected.size();
    }
    assertThat(cuts).isGreaterThan(1_000);
  }

  private static List<Integer> cuts(String text, int maxRun) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    RunCutter cutter = new RunCutter(utf8, utf8.length, maxRun);
    List<Integer> cuts = new ArrayList<>();
    for (int cut = cutter.nextCut(); cut > 0; cut = cutter.nextCut()) {
      cuts.add(cut);
    }
    return cuts;
  }

  private static List<Integer> expected(String text, int maxRun) {
    List<Integer> cuts = new ArrayList<>();
    int at = 0;
    int run = 0;
    boolean runIsSpace = false;
    for (int c : text.codePoints().toArray()) {
      boolean space = c == ' ' || c == 0x3000 || c == 0x1c;
      run = run > 0 && space == runIsSpace ? run + 1 : 1;
      runIsSpace = space;
      if (run > maxRun) {
        cuts.add(at);
        run = 1;
      }
      at += Character.toString(c).getBytes(StandardCharsets.UTF_8).length;
    }
    return cuts;
  }
}
