package org.llamaj.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaException;
import org.llamaj.SamplingOptions;

class SamplerChainTest {
  private static final SamplingOptions PLAIN = SamplingOptions.of().withSeed(7);

  @Test
  void greedyTakesTheLargestAndTheFirstOfEquals() {
    Sampler sampler = sampler(SamplingOptions.greedy(), 4);
    assertThat(sampler.sample(new float[] {1, 3, 3, 2})).isEqualTo(1);
  }

  @Test
  void drawsWithTheProbabilitiesOfTheSoftmax() {
    Sampler sampler = sampler(PLAIN, 3);
    float[] logits = {(float) Math.log(0.5), (float) Math.log(0.3), (float) Math.log(0.2)};
    int[] counts = new int[3];
    int draws = 100_000;
    for (int i = 0; i < draws; i++) {
      counts[sampler.sample(logits.clone())]++;
    }
    // Six standard deviations of a binomial draw.
    assertThat(Math.abs(counts[0] - 0.5 * draws)).isLessThan(6 * Math.sqrt(0.25 * draws));
    assertThat(Math.abs(counts[1] - 0.3 * draws)).isLessThan(6 * Math.sqrt(0.21 * draws));
  }

  @Test
  void theSameSeedGivesTheSameDraws() {
    Sampler one = sampler(PLAIN, 100);
    Sampler two = sampler(PLAIN, 100);
    Sampler other = sampler(PLAIN.withSeed(8), 100);
    int[] a = new int[50], b = new int[50], c = new int[50];
    for (int i = 0; i < a.length; i++) {
      a[i] = one.sample(new float[100]);
      b[i] = two.sample(new float[100]);
      c[i] = other.sample(new float[100]);
    }
    assertThat(a).isEqualTo(b).isNotEqualTo(c);
  }

  @Test
  void topKKeepsExactlyTheKMostProbable() {
    float[] logits = randomLogits(1000);
    assertThat(reachable(PLAIN.with(new TopK(5)).withTemperature(1000), logits))
        .isEqualTo(mostProbable(logits, 5));
  }

  @Test
  void topPKeepsTheSmallestNucleus() {
    float[] logits = {
      (float) Math.log(0.4), (float) Math.log(0.05), (float) Math.log(0.35), (float) Math.log(0.2)
    };
    assertThat(reachable(PLAIN.with(new TopP(0.7f)).withTemperature(1000), logits))
        .containsExactly(0, 2);
    assertThat(reachable(PLAIN.with(new TopP(0.8f)).withTemperature(1000), logits))
        .containsExactly(0, 2, 3);
  }

  @Test
  void topPOfManyCandidatesAgreesWithAFullSort() {
    float[] logits = randomLogits(5000);
    Set<Integer> nucleus = new TreeSet<>();
    double total = 0;
    for (float logit : logits) {
      total += Math.exp(logit);
    }
    Integer[] order = order(logits);
    double reached = 0;
    for (int i = 0; reached < 0.9 * total; i++) {
      nucleus.add(order[i]);
      reached += Math.exp(logits[order[i]]);
    }
    assertThat(nucleus.size()).isGreaterThan(256);
    Candidates candidates = new Candidates(logits.length);
    candidates.reset(logits);
    new Nucleus().keep(candidates, 0.9f);
    Set<Integer> kept = new TreeSet<>();
    for (int i = 0; i < candidates.size(); i++) {
      kept.add(candidates.id(i));
    }
    assertThat(kept).isEqualTo(nucleus);
  }

  @Test
  void minPKeepsTokensRelativeToTheMostProbable() {
    float[] logits = {(float) Math.log(0.6), (float) Math.log(0.31), (float) Math.log(0.09)};
    assertThat(reachable(PLAIN.with(new MinP(0.5f)).withTemperature(1000), logits))
        .containsExactly(0, 1);
  }

  @Test
  void penaltiesFollowTheOccurrencesInTheWindow() {
    SamplingOptions options =
        SamplingOptions.of(new Penalties(3, 2, 0.25f, 0.5f), new Temperature(0));
    Sampler sampler = sampler(options, 3);
    sampler.accept(2); // leaves the window below
    sampler.accept(0);
    sampler.accept(0);
    sampler.accept(1);
    float[] logits = {4, -1, 9};
    sampler.sample(logits);
    assertThat(logits).containsExactly(4 / 2f - 2 * 0.25f - 0.5f, -1 * 2 - 0.25f - 0.5f, 9);
  }

  @Test
  void biasAddsAndBans() {
    Sampler sampler =
        sampler(
            SamplingOptions.greedy().with(new LogitBias(Map.of(0, Float.NEGATIVE_INFINITY, 2, 5f))),
            3);
    assertThat(sampler.sample(new float[] {100, 1, 0})).isEqualTo(2);
  }

  @Test
  void biasOfAnUnknownTokenIsRefused() {
    assertThatThrownBy(
            () -> sampler(SamplingOptions.greedy().with(new LogitBias(Map.of(3, 1f))), 3))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("from 0 to 2, found 3");
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> SamplingOptions.defaults().with(new TopP(1.5f)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("topP: expected above 0 and at most 1, found 1.5");
    assertThatThrownBy(() -> SamplingOptions.defaults().withTemperature(Float.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aStepTakesThePlaceOfItsKindOrItsUsualPlace() {
    SamplingStep own = _ -> candidates -> candidates.keepTop(2);
    SamplingOptions options =
        SamplingOptions.of(new TopP(0.9f), new Temperature(1))
            .with(new TopK(3))
            .with(new Mirostat(5, 0.1f))
            .with(own)
            .with(new TopP(0.5f));
    assertThat(options.steps())
        .containsExactly(
            new TopK(3), new TopP(0.5f), own, new Temperature(1), new Mirostat(5, 0.1f));
    assertThat(options.without(TopK.class).steps()).hasSize(4);
  }

  @Test
  void stepsOfYourOwnTakePart() {
    SamplingStep onlyEven = _ -> candidates -> candidates.removeIf((id, _) -> id % 2 == 1);
    assertThat(reachable(PLAIN.with(onlyEven), new float[6])).containsExactly(0, 2, 4);
  }

  @Test
  void bannedTokensAreNeverDrawn() {
    float[] logits = new float[5];
    Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    logits[3] = -500;
    assertThat(reachable(PLAIN, logits)).containsExactly(3);
    Candidates candidates = new Candidates(5);
    candidates.reset(logits);
    assertThat(candidates.draw(0)).isEqualTo(3);
    assertThat(candidates.draw(Math.nextDown(1.0))).isEqualTo(3);
  }

  private static Sampler sampler(SamplingOptions options, int vocabularySize) {
    return new SamplerChain(options, vocabularySize, id -> "<" + id + ">");
  }

  private static Set<Integer> reachable(SamplingOptions options, float[] logits) {
    Sampler sampler = sampler(options, logits.length);
    Set<Integer> ids = new TreeSet<>();
    for (int i = 0; i < 2000; i++) {
      ids.add(sampler.sample(logits.clone()));
    }
    return ids;
  }

  private static Set<Integer> mostProbable(float[] logits, int k) {
    return new TreeSet<>(Arrays.asList(order(logits)).subList(0, k));
  }

  private static Integer[] order(float[] logits) {
    Integer[] order = new Integer[logits.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Float.compare(logits[b], logits[a]));
    return order;
  }

  private static float[] randomLogits(int count) {
    Random random = new Random(3);
    float[] logits = new float[count];
    for (int i = 0; i < count; i++) {
      logits[i] = (float) random.nextGaussian();
    }
    return logits;
  }
}
