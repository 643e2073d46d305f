package org.llamaj.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The steps that have no reference data, against plain computations. */
class StepsTest {
  @Test
  void exponentialsAreExactToFloatPrecision() {
    float[] values = new float[20_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = -i / 200f;
    }
    values[7] = Float.NEGATIVE_INFINITY;
    float[] out = new float[values.length];
    Exponentials.fill(values, 0, out, values.length);
    for (int i = 0; i < values.length; i++) {
      double expected = values[i] < -87 ? 0 : Math.exp(values[i]);
      assertThat((double) out[i]).isCloseTo(expected, within(3e-7 * expected));
    }
  }

  @Test
  void stepsOnALargeVocabularyKeepWhatAFullSortKeeps() {
    Random random = new Random(1);
    for (int round = 0; round < 40; round++) {
      float spread = round % 4 == 0 ? 0.01f : 4;
      float[] logits = new float[3000];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = Math.round(random.nextGaussian() * spread * 64) / 64f;
      }
      float p = random.nextFloat(0.05f, 0.99f);
      assertThat(kept(new TopP(p), logits)).isEqualTo(plainNucleus(logits, p));
      int k = random.nextInt(1, 400);
      assertThat(kept(new TopK(k), logits))
          .isEqualTo(new TreeSet<>(Arrays.asList(order(logits)).subList(0, k)));
    }
  }

  @Test
  void xtcRemovesAllGoodChoicesButTheLeast() {
    float[] logits = logs(0.4, 0.05, 0.25, 0.2, 0.1);
    assertThat(kept(new Xtc(1, 0.15f), logits)).containsExactly(1, 3, 4);
    assertThat(kept(new Xtc(0, 0.15f), logits)).hasSize(5);
    assertThat(kept(new Xtc(1, 0.3f), logits)).hasSize(5);
  }

  @Test
  void dynamicTemperatureFollowsTheEntropy() {
    double[] probabilities = {0.7, 0.2, 0.1};
    double entropy = 0;
    for (double p : probabilities) {
      entropy -= p * Math.log(p);
    }
    double temperature = 0.5 + 1.0 * Math.pow(entropy / Math.log(3), 2);
    float[] logits = logs(probabilities);
    Candidates candidates = candidates(logits);
    begin(new Temperature(1, 0.5f, 2), 3).apply(candidates);
    assertThat(candidates.logit(0)).isCloseTo((float) (Math.log(0.7) / temperature), within(1e-5f));
  }

  @Test
  void dryPenalisesTheContinuationOfTheLongestRepeat() {
    Random random = new Random(5);
    for (int round = 0; round < 300; round++) {
      int[] text = random.ints(random.nextInt(2, 60), 0, 4).toArray();
      Dry dry = new Dry(0.8f, 1.75f, 2, -1, List.of("<3>"));
      float[] logits = new float[4];
      SamplingStep.Stage stage = begin(dry, 4);
      for (int token : text) {
        stage.accept(token);
      }
      stage.apply(candidates(logits));
      plainDry(text, dry)
          .forEach(
              (token, length) ->
                  assertThat((double) logits[token])
                      .isCloseTo(-0.8 * Math.pow(1.75, length - 2), within(1e-3)));
      for (int token = 0; token < 4; token++) {
        assertThat(logits[token] < 0).isEqualTo(plainDry(text, dry).containsKey(token));
      }
    }
  }

  private static Map<Integer, Integer> plainDry(int[] text, Dry dry) {
    Map<Integer, Integer> lengths = new HashMap<>();
    for (int end = 1; end < text.length; end++) {
      int length = 0;
      while (end - length > 0
          && text[end - 1 - length] == text[text.length - 1 - length]
          && text[end - 1 - length] != 3) {
        length++;
      }
      if (length >= dry.allowedLength()) {
        lengths.merge(text[end], length, Math::max);
      }
    }
    return lengths;
  }

  @Test
  void dryIsQuickOnATextThatRepeatsItself() {
    SamplingStep.Stage stage = begin(new Dry(0.8f), 10);
    for (int i = 0; i < 100_000; i++) {
      stage.accept(1);
    }
    float[] logits = new float[10];
    stage.apply(candidates(logits));
    assertThat(logits[1]).isLessThan(-1e30f);
    assertThat(Float.isFinite(logits[1])).isTrue();
  }

  @Test
  void mirostatHoldsTheSurpriseAtItsTarget() {
    Random random = new Random(2);
    float[] model = new float[2000];
    for (int i = 0; i < model.length; i++) {
      model[i] = (float) (-1.1 * Math.log(i + 1) + 0.1 * random.nextGaussian());
    }
    for (SamplingStep step :
        List.of(new Mirostat(4, 0.1f), new MirostatTopK(4, 0.1f, 100), new Mirostat(3, 0.1f))) {
      float target = step instanceof Mirostat m ? m.target() : 4;
      SamplingStep.Stage stage = begin(step, model.length);
      SplittableRandom draws = new SplittableRandom(9);
      double surprise = 0;
      int count = 4000;
      for (int i = 0; i < count; i++) {
        Candidates candidates = candidates(model.clone());
        stage.apply(candidates);
        int token = candidates.draw(draws.nextDouble());
        surprise -= Math.log(candidates.probabilities()[candidates.indexOf(token)]) / Math.log(2);
        stage.accept(token);
      }
      assertThat(surprise / count).isCloseTo(target, within(0.1));
    }
  }

  private static Set<Integer> kept(SamplingStep step, float[] logits) {
    Candidates candidates = candidates(logits.clone());
    begin(step, logits.length).apply(candidates);
    Set<Integer> ids = new TreeSet<>();
    for (int i = 0; i < candidates.size(); i++) {
      ids.add(candidates.id(i));
    }
    return ids;
  }

  private static Candidates candidates(float[] logits) {
    Candidates candidates = new Candidates(logits.length);
    candidates.reset(logits);
    return candidates;
  }

  private static SamplingStep.Stage begin(SamplingStep step, int vocabularySize) {
    return step.begin(
        new SamplingContext(vocabularySize, id -> "<" + id + ">", new SplittableRandom(1)));
  }

  private static Set<Integer> plainNucleus(float[] logits, float p) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double total = 0;
    for (float logit : logits) {
      total += Math.exp(logit - max);
    }
    Set<Integer> kept = new TreeSet<>();
    double reached = 0;
    for (int id : order(logits)) {
      kept.add(id);
      reached += Math.exp(logits[id] - max);
      if (reached >= p * total) {
        break;
      }
    }
    return kept;
  }

  private static Integer[] order(float[] logits) {
    Integer[] order = new Integer[logits.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Float.compare(logits[b], logits[a]));
    return order;
  }

  private static float[] logs(double... probabilities) {
    float[] logits = new float[probabilities.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(probabilities[i]);
    }
    return logits;
  }
}
