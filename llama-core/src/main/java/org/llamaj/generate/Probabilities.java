package org.llamaj.generate;

import java.util.ArrayList;
import java.util.List;
import org.llamaj.TokenProbability;
import org.llamaj.sampling.Candidates;
import org.llamaj.tokenizer.Tokenizer;

/** What the model itself thinks of tokens: the softmax of its logits, before any sampling step. */
final class Probabilities {
  private final Tokenizer tokenizer;
  private final int alternatives;
  private final Candidates candidates;
  private final float[] logits;
  private double logSum;

  /**
   * @param alternatives how many of the most probable tokens to tell beside each token
   */
  Probabilities(Tokenizer tokenizer, int vocabularySize, int alternatives) {
    this.tokenizer = tokenizer;
    this.alternatives = Math.min(alternatives, vocabularySize);
    candidates = new Candidates(vocabularySize);
    logits = new float[vocabularySize];
  }

  /** Takes note of logits, which may be changed afterwards. */
  void observe(float[] current) {
    System.arraycopy(current, 0, logits, 0, logits.length);
    candidates.reset(logits);
    logSum = candidates.logSum();
  }

  TokenProbability of(int token) {
    List<TokenProbability> most = new ArrayList<>();
    if (alternatives > 0) {
      candidates.reset(logits);
      candidates.keepTop(alternatives);
      for (int i = 0; i < candidates.size(); i++) {
        most.add(one(candidates.id(i), List.of()));
      }
    }
    return one(token, most);
  }

  private TokenProbability one(int token, List<TokenProbability> most) {
    return new TokenProbability(token, tokenizer.text(token), logits[token] - logSum, most);
  }
}
