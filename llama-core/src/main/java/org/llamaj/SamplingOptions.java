package org.llamaj;

import java.util.Map;
import java.util.OptionalLong;

/**
 * How the next token is chosen from the logits. Immutable; each {@code with} method returns a
 * changed copy.
 *
 * <p>The steps run in this order: bias, penalties, top-k, top-p, min-p, temperature, draw.
 *
 * @param temperature divides the logits before the draw; 0 takes the most probable token (greedy)
 * @param topK keeps the k most probable tokens; 0 keeps all
 * @param topP keeps the most probable tokens that together reach this probability (Holtzman et al.
 *     2019); 1 keeps all
 * @param minP keeps the tokens at least this probable relative to the most probable one (Nguyen et
 *     al. 2024); 0 keeps all
 * @param repetitionPenalty divides positive and multiplies negative logits of recent tokens (Keskar
 *     et al. 2019); 1 is off
 * @param frequencyPenalty subtracted from a recent token's logit for each occurrence
 * @param presencePenalty subtracted once from the logit of each recent token
 * @param penaltyWindow how many of the last tokens count as recent, prompt included; 0 turns the
 *     penalties off
 * @param logitBias added to the logits of the given token ids; negative infinity bans a token
 * @param seed of the random draws: the same seed gives the same text; empty for a new one each time
 */
public record SamplingOptions(
    float temperature,
    int topK,
    float topP,
    float minP,
    float repetitionPenalty,
    float frequencyPenalty,
    float presencePenalty,
    int penaltyWindow,
    Map<Integer, Float> logitBias,
    OptionalLong seed) {

  private static final SamplingOptions DEFAULTS =
      new SamplingOptions(0.7f, 40, 0.95f, 0.05f, 1, 0, 0, 64, Map.of(), OptionalLong.empty());

  /** Checks the ranges. */
  public SamplingOptions {
    check(
        temperature >= 0 && temperature < Float.POSITIVE_INFINITY,
        "temperature",
        "0 or more",
        temperature);
    check(topK >= 0, "topK", "0 or more", topK);
    check(topP > 0 && topP <= 1, "topP", "above 0 and at most 1", topP);
    check(minP >= 0 && minP <= 1, "minP", "from 0 to 1", minP);
    check(repetitionPenalty > 0, "repetitionPenalty", "above 0", repetitionPenalty);
    check(Float.isFinite(frequencyPenalty), "frequencyPenalty", "a number", frequencyPenalty);
    check(Float.isFinite(presencePenalty), "presencePenalty", "a number", presencePenalty);
    check(penaltyWindow >= 0, "penaltyWindow", "0 or more", penaltyWindow);
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach((id, bias) -> check(!Float.isNaN(bias), "logitBias", "a number", bias));
  }

  private static void check(boolean valid, String name, String expected, Object found) {
    if (!valid) {
      throw new IllegalArgumentException(
          "%s: expected %s, found %s".formatted(name, expected, found));
    }
  }

  /**
   * Sensible choices for chat: temperature 0.7, top-k 40, top-p 0.95, min-p 0.05, no penalties.
   *
   * @return the defaults
   */
  public static SamplingOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Always the most probable token.
   *
   * @return the defaults with temperature 0
   */
  public static SamplingOptions greedy() {
    return DEFAULTS.withTemperature(0);
  }

  /**
   * Changes {@link #temperature}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withTemperature(float value) {
    return new SamplingOptions(
        value,
        topK,
        topP,
        minP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        penaltyWindow,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #topK}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withTopK(int value) {
    return new SamplingOptions(
        temperature,
        value,
        topP,
        minP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        penaltyWindow,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #topP}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withTopP(float value) {
    return new SamplingOptions(
        temperature,
        topK,
        value,
        minP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        penaltyWindow,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #minP}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withMinP(float value) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        value,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        penaltyWindow,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #repetitionPenalty}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withRepetitionPenalty(float value) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        value,
        frequencyPenalty,
        presencePenalty,
        penaltyWindow,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #frequencyPenalty}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withFrequencyPenalty(float value) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        value,
        presencePenalty,
        penaltyWindow,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #presencePenalty}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withPresencePenalty(float value) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        frequencyPenalty,
        value,
        penaltyWindow,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #penaltyWindow}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withPenaltyWindow(int value) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        value,
        logitBias,
        seed);
  }

  /**
   * Changes {@link #logitBias}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withLogitBias(Map<Integer, Float> value) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        penaltyWindow,
        value,
        seed);
  }

  /**
   * Changes {@link #seed}.
   *
   * @param value the new value
   * @return a changed copy
   */
  public SamplingOptions withSeed(long value) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        penaltyWindow,
        logitBias,
        OptionalLong.of(value));
  }
}
