package org.llamaj.examples.cli;

import java.util.List;
import org.llamaj.GenerationOptions;
import org.llamaj.SamplingOptions;
import org.llamaj.sampling.MinP;
import org.llamaj.sampling.Penalties;
import org.llamaj.sampling.TopK;
import org.llamaj.sampling.TopP;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of all commands that generate text. */
final class GenerationArguments {
  private static final GenerationOptions DEFAULTS = GenerationOptions.defaults();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description = "The most tokens to generate (default: ${DEFAULT-VALUE}).")
  private int maxTokens = DEFAULTS.maxTokens();

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "A text that ends the generation; may be given several times.")
  private List<String> stopStrings = List.of();

  @Option(
      names = "--temperature",
      paramLabel = "X",
      description = "0 for the most probable token each time (default: ${DEFAULT-VALUE}).")
  private float temperature = 0.7f;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description =
          "Choose from the N most probable tokens; 0 for all (default: ${DEFAULT-VALUE}).")
  private int topK = 40;

  @Option(
      names = "--top-p",
      paramLabel = "X",
      description =
          "Choose from the most probable tokens that have this probability together"
              + " (default: ${DEFAULT-VALUE}).")
  private float topP = 0.95f;

  @Option(
      names = "--min-p",
      paramLabel = "X",
      description =
          "Choose from tokens at least this probable relative to the best"
              + " (default: ${DEFAULT-VALUE}).")
  private float minP = 0.05f;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      description = "Makes recent tokens less probable; 1 is off (default: ${DEFAULT-VALUE}).")
  private float repetitionPenalty = 1;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      description = "Subtracted for each recent occurrence (default: ${DEFAULT-VALUE}).")
  private float frequencyPenalty = 0;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      description = "Subtracted once for recent tokens (default: ${DEFAULT-VALUE}).")
  private float presencePenalty = 0;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same text (default: a new one each time).")
  private Long seed;

  GenerationOptions options() {
    try {
      SamplingOptions sampling =
          SamplingOptions.defaults()
              .with(new Penalties(64, repetitionPenalty, frequencyPenalty, presencePenalty))
              .with(new TopK(topK))
              .with(new TopP(topP))
              .with(new MinP(minP))
              .withTemperature(temperature);
      if (seed != null) {
        sampling = sampling.withSeed(seed);
      }
      return DEFAULTS
          .withMaxTokens(maxTokens)
          .withStopStrings(stopStrings.toArray(String[]::new))
          .withSampling(sampling);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
