package org.llamaj.generate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.llamaj.GenerationOptions;
import org.llamaj.TokenProbability;
import org.llamaj.grammar.GrammarCompiler;
import org.llamaj.grammar.TokenConstraint;
import org.llamaj.sampling.Candidates;
import org.llamaj.sampling.Sampler;
import org.llamaj.sampling.SamplerChain;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.transformer.BestLogits;

/**
 * Chooses the tokens of one generation as its options say: among those that the grammar allows,
 * with the sampler chain, and notes their probabilities if asked to.
 */
public final class TokenChooser implements Sampler {
  private final SamplerChain chain;
  private final Candidates candidates;
  private final Optional<TokenConstraint> constraint;
  private final boolean completes;
  private final Optional<Probabilities> probabilities;
  private final List<TokenProbability> noted = new ArrayList<>();
  private final float[] untouched; // logits, in case another token has to be chosen
  private final int best;
  private int tokensLeft;

  /**
   * @param options how to choose
   * @param tokenizer of the model
   * @param vocabularySize how many ids the model writes; it may read some more
   * @param grammars prepares the grammar of the options
   * @param prompt ids before the first one to be chosen; those beyond the vocabulary stand for
   *     pictures
   * @param tokensLeft how many tokens can follow the prompt at most
   * @throws org.llamaj.LlamaException if a sampling step does not fit the model, or no text of the
   *     grammar fits the limit
   */
  public TokenChooser(
      GenerationOptions options,
      Tokenizer tokenizer,
      int vocabularySize,
      GrammarCompiler grammars,
      int[] prompt,
      int tokensLeft) {
    chain = new SamplerChain(options.sampling(), vocabularySize, tokenizer::text);
    constraint = options.grammar().map(grammar -> grammars.compile(grammar).begin());
    completes = options.completion() && constraint.isPresent();
    untouched = new float[completes ? vocabularySize : 0];
    probabilities =
        options.logProbabilities().isPresent()
            ? Optional.of(
                new Probabilities(tokenizer, vocabularySize, options.logProbabilities().getAsInt()))
            : Optional.empty();
    int first = options.sampling().steps().stream().findFirst().map(SamplingStep::keeps).orElse(0);
    boolean others = constraint.isPresent() || probabilities.isPresent();
    best = others || first > BestLogits.MOST ? 0 : first;
    candidates = new Candidates(best > 0 ? best : vocabularySize);
    this.tokensLeft = tokensLeft;
    if (completes && tokensLeft > 0) {
      constraint.get().limit(tokensLeft);
    }
    for (int token : prompt) {
      if (token < vocabularySize) {
        chain.accept(token);
      }
    }
  }

  /**
   * How many of the greatest logits are enough to choose.
   *
   * @return 0 if all are needed: {@link #sample(float[])} is to be called
   */
  public int best() {
    return best;
  }

  /**
   * Chooses a token where {@link #best} logits are enough.
   *
   * @param logits the greatest
   * @return the id of the next token
   */
  public int sample(BestLogits logits) {
    candidates.reset(logits);
    return chain.sample(candidates);
  }

  @Override
  public int sample(float[] logits) {
    probabilities.ifPresent(p -> p.observe(logits));
    candidates.reset(logits);
    int token =
        constraint.isPresent() ? constrained(constraint.get(), logits) : chain.sample(candidates);
    probabilities.ifPresent(p -> noted.add(p.of(token)));
    return token;
  }

  private int constrained(TokenConstraint grammar, float[] logits) {
    if (completes) {
      System.arraycopy(logits, 0, untouched, 0, logits.length);
    }
    grammar.narrow(candidates);
    int token = chain.sample(candidates);
    if (completes && !grammar.fits(token, tokensLeft)) {
      candidates.reset(untouched);
      grammar.narrowToFit(candidates, tokensLeft);
      return chain.sample(candidates);
    }
    return token;
  }

  @Override
  public void accept(int token) {
    chain.accept(token);
    tokensLeft--;
    constraint.ifPresent(
        grammar -> grammar.accept(token, completes ? tokensLeft : Integer.MAX_VALUE));
  }

  /**
   * Whether the text is complete and nothing may follow, so that no end token is needed.
   *
   * @return true once a grammar is at its end
   */
  public boolean isDone() {
    return constraint.isPresent() && constraint.get().isDone();
  }

  /**
   * The probabilities of the tokens so far.
   *
   * @return one for each token, none if they were not asked for
   */
  public List<TokenProbability> probabilities() {
    return noted;
  }
}
