package org.llamaj.sampling;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import org.llamaj.SamplingOptions;

/** Samples as {@link SamplingOptions} say: applies the steps in order, then draws. */
public final class SamplerChain implements Sampler {
  private final List<SamplingStep.Stage> stages;
  private final SplittableRandom random;
  private Candidates candidates; // made when first needed: it is as large as the vocabulary

  /**
   * @param options how to choose
   * @param vocabularySize number of token ids
   * @param text what a token stands for
   * @throws org.llamaj.LlamaException if a step does not fit the model
   */
  public SamplerChain(SamplingOptions options, int vocabularySize, IntFunction<String> text) {
    random =
        options.seed().isPresent()
            ? new SplittableRandom(options.seed().getAsLong())
            : new SplittableRandom();
    SamplingContext context = new SamplingContext(vocabularySize, text, random);
    stages = options.steps().stream().map(step -> step.begin(context)).toList();
  }

  @Override
  public int sample(float[] logits) {
    if (candidates == null) {
      candidates = new Candidates(logits.length);
    }
    candidates.reset(logits);
    return sample(candidates);
  }

  /**
   * Chooses among some tokens.
   *
   * @param some what is possible; narrowed down by the steps
   * @return the id of the next token
   */
  public int sample(Candidates some) {
    for (int i = 0; i < stages.size(); i++) {
      stages.get(i).apply(some);
    }
    return some.draw(random.nextDouble());
  }

  @Override
  public void accept(int token) {
    for (int i = 0; i < stages.size(); i++) {
      stages.get(i).accept(token);
    }
  }
}
