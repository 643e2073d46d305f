package org.llamaj.examples.features;

import java.util.List;
import org.llamaj.Generation;
import org.llamaj.GenerationRequest;
import org.llamaj.LlamaModel;
import org.llamaj.SamplingOptions;
import org.llamaj.Score;
import org.llamaj.TokenProbability;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.sampling.MinP;
import org.llamaj.sampling.Penalties;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.sampling.Temperature;

/** How tokens are chosen, step by step; how probable they were; the best of several texts. */
public final class Sampling {
  private Sampling() {}

  /**
   * Tells stories.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().kernels("scalar").load()) {
      SamplingStep noDragons =
          context ->
              candidates ->
                  candidates.removeIf((id, _) -> context.text().apply(id).contains("dragon"));
      SamplingOptions chain =
          SamplingOptions.of(
                  new Penalties(64, 1.1f, 0, 0), noDragons, new MinP(0.1f), new Temperature(0.8f))
              .withSeed(7);
      System.out.println(chain.steps().getFirst());

      GenerationRequest story =
          model
              .prompt("Once there was a brave fox")
              .sampling(_ -> chain)
              .maxTokens(24)
              .logProbabilities(2);
      List<Generation> best = story.nBest(3);
      for (Generation one : best) {
        Score score = new Score(one.logProbabilities());
        System.out.printf("%.2f%s%n", score.perplexity(), one.text());
      }
      for (TokenProbability token : best.getFirst().logProbabilities().subList(0, 2)) {
        System.out.printf("'%s' %.2f of", token.text(), token.probability());
        token
            .alternatives()
            .forEach(other -> System.out.printf(" '%s' %.2f", other.text(), other.probability()));
        System.out.println();
      }
      System.out.printf(
          "%.1f%n", model.perplexity("Once there was a brave fox who lived in a castle of stone."));
    }
  }
}
