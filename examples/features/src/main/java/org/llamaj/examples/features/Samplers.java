package org.llamaj.examples.features;

import java.util.List;
import org.llamaj.GenerationRequest;
import org.llamaj.LlamaModel;
import org.llamaj.SamplingOptions;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.sampling.Dry;
import org.llamaj.sampling.MinP;
import org.llamaj.sampling.Mirostat;
import org.llamaj.sampling.MirostatTopK;
import org.llamaj.sampling.Penalties;
import org.llamaj.sampling.Temperature;
import org.llamaj.sampling.TopK;
import org.llamaj.sampling.TopNSigma;
import org.llamaj.sampling.TopP;
import org.llamaj.sampling.Typical;
import org.llamaj.sampling.Xtc;

/** All kinds of steps that choose tokens, alone or in an order of yours. */
public final class Samplers {
  private static final String BEGINNING =
      "Once there was a fox who lived in a castle of stone. Once there was a fox who lived";

  private Samplers() {}

  /**
   * Begins the same story in several ways.
   *
   * @param args none
   */
  public static void main(String[] args) {
    Temperature bold = new Temperature(1.4f);
    List<SamplingOptions> chains =
        List.of(
            SamplingOptions.greedy(),
            SamplingOptions.defaults(),
            SamplingOptions.of(new TopK(5), bold),
            SamplingOptions.of(new TopP(0.8f), bold),
            SamplingOptions.of(new MinP(0.2f), bold),
            SamplingOptions.of(new Typical(0.7f), bold),
            SamplingOptions.of(new TopNSigma(1), bold),
            SamplingOptions.of(new MinP(0.02f), new Xtc(0.5f, 0.1f)),
            SamplingOptions.of(new Dry(0.8f, 1.75f, 2, -1, List.of("#")), new Temperature(0)),
            SamplingOptions.of(new Penalties(64, 1.3f, 0.1f, 0.1f), new Temperature(0)),
            SamplingOptions.of(new Temperature(0.8f, 0.5f, 1)),
            SamplingOptions.of(new Mirostat(3, 0.1f)),
            SamplingOptions.of(new MirostatTopK(3, 0.1f, 100)));
    try (LlamaModel model = DemoModel.builder().kernels("scalar").load()) {
      for (SamplingOptions chain : chains) {
        System.out.println(chain.steps());
        GenerationRequest story = model.prompt(BEGINNING).maxTokens(12);
        System.out.println(" " + story.sampling(_ -> chain.withSeed(3)).generate().text());
      }
    }
  }
}
