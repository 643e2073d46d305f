package org.llamaj.examples.cli;

import java.util.List;
import java.util.OptionalLong;
import org.llamaj.GenerationOptions;
import org.llamaj.SamplingOptions;
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
  private float temperature = DEFAULTS.sampling().temperature();

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description =
          "Choose from the N most probable tokens; 0 for all (default: ${DEFAULT-VALUE}).")
  private int topK = DEFAULTS.sampling().topK();

  @Option(
      names = "--top-p",
      paramLabel = "X",
      description =
          "Choose from the most probable tokens that have this probability together"
              + " (default: ${DEFAULT-VALUE}).")
  private float topP = DEFAULTS.sampling().topP();

  @Option(
      names = "--min-p",
      paramLabel = "X",
      description =
          "Choose from tokens at least this probable relative to the best"
              + " (default: ${DEFAULT-VALUE}).")
  private float minP = DEFAULTS.sampling().minP();

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      description = "Makes recent tokens less probable; 1 is off (default: ${DEFAULT-VALUE}).")
  private float repetitionPenalty = DEFAULTS.sampling().repetitionPenalty();

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      description = "Subtracted for each recent occurrence (default: ${DEFAULT-VALUE}).")
  private float frequencyPenalty = DEFAULTS.sampling().frequencyPenalty();

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      description = "Subtracted once for recent tokens (default: ${DEFAULT-VALUE}).")
  private float presencePenalty = DEFAULTS.sampling().presencePenalty();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same text (default: a new one each time).")
  private Long seed;

  GenerationOptions options() {
    try {
      SamplingOptions sampling =
          new SamplingOptions(
              temperature,
              topK,
              topP,
              minP,
              repetitionPenalty,
              frequencyPenalty,
              presencePenalty,
              DEFAULTS.sampling().penaltyWindow(),
              DEFAULTS.sampling().logitBias(),
              seed == null ? OptionalLong.empty() : OptionalLong.of(seed));
      return GenerationOptions.defaults()
          .withMaxTokens(maxTokens)
          .withStopStrings(stopStrings.toArray(String[]::new))
          .withSampling(sampling);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
