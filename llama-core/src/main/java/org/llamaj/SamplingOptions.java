package org.llamaj;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.llamaj.sampling.Dry;
import org.llamaj.sampling.LogitBias;
import org.llamaj.sampling.MinP;
import org.llamaj.sampling.Mirostat;
import org.llamaj.sampling.MirostatTopK;
import org.llamaj.sampling.Penalties;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.sampling.Temperature;
import org.llamaj.sampling.TopK;
import org.llamaj.sampling.TopNSigma;
import org.llamaj.sampling.TopP;
import org.llamaj.sampling.Typical;
import org.llamaj.sampling.Xtc;

/**
 * How the next token is chosen from the logits: steps that remove tokens or change their logits,
 * one after the other, and then a draw with the probabilities of the softmax. Immutable.
 *
 * <pre>{@code
 * SamplingOptions bolder = SamplingOptions.defaults().with(new Temperature(1.2f)).with(new MinP(0.1f));
 * SamplingOptions own = SamplingOptions.of(new Penalties(64, 1.1f, 0, 0), new Mirostat(5, 0.1f));
 * }</pre>
 *
 * @param steps in the order in which they run
 * @param seed of the random draws: the same seed gives the same text; empty for a new one each time
 */
public record SamplingOptions(List<SamplingStep> steps, OptionalLong seed) {
  /** The order in which steps run that were added one by one. */
  private static final List<Class<? extends SamplingStep>> USUAL_ORDER =
      List.of(
          LogitBias.class,
          Penalties.class,
          Dry.class,
          TopNSigma.class,
          TopK.class,
          Typical.class,
          TopP.class,
          MinP.class,
          Xtc.class,
          Temperature.class,
          MirostatTopK.class,
          Mirostat.class);

  private static final SamplingOptions DEFAULTS =
      of(new TopK(40), new TopP(0.95f), new MinP(0.05f), new Temperature(0.7f));

  /** Copies the list. */
  public SamplingOptions {
    steps = List.copyOf(steps);
  }

  /**
   * Sensible choices for chat: top-k 40, top-p 0.95, min-p 0.05, temperature 0.7, no penalties.
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
   * These steps in this order, and no others.
   *
   * @param steps of this library or your own; none for a draw from the whole vocabulary
   * @return options without a seed
   */
  public static SamplingOptions of(SamplingStep... steps) {
    return new SamplingOptions(List.of(steps), OptionalLong.empty());
  }

  /**
   * Changes or adds a step. It takes the place of a step of its kind; where there is none, it is
   * put where it usually runs: bias, penalties, DRY, top-n-sigma, top-k, typical, top-p, min-p,
   * XTC, temperature, Mirostat. Steps of your own run before the temperature.
   *
   * @param step the step
   * @return a changed copy
   */
  public SamplingOptions with(SamplingStep step) {
    List<SamplingStep> changed = new ArrayList<>(steps);
    for (int i = 0; i < changed.size(); i++) {
      if (changed.get(i).getClass() == step.getClass()) {
        changed.set(i, step);
        return new SamplingOptions(changed, seed);
      }
    }
    int place = 0;
    while (place < changed.size() && rank(changed.get(place)) <= rank(step)) {
      place++;
    }
    changed.add(place, step);
    return new SamplingOptions(changed, seed);
  }

  /**
   * Removes a step.
   *
   * @param kind its class; nothing changes if there is none
   * @return a changed copy
   */
  public SamplingOptions without(Class<? extends SamplingStep> kind) {
    return new SamplingOptions(
        steps.stream().filter(step -> step.getClass() != kind).toList(), seed);
  }

  /**
   * Changes the temperature.
   *
   * @param value 0 for the most probable token each time
   * @return a changed copy
   */
  public SamplingOptions withTemperature(float value) {
    return with(new Temperature(value));
  }

  /**
   * Changes {@link #seed}.
   *
   * @param value any number
   * @return a changed copy
   */
  public SamplingOptions withSeed(long value) {
    return new SamplingOptions(steps, OptionalLong.of(value));
  }

  private static int rank(SamplingStep step) {
    int rank = USUAL_ORDER.indexOf(step.getClass());
    return rank >= 0 ? rank : USUAL_ORDER.indexOf(Xtc.class);
  }
}
