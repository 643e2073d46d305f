package org.llamaj.moe;

import java.util.Arrays;

/**
 * Which tokens of a batch go to which expert, and with which weight: written token by token by the
 * {@link Router}, read expert by expert.
 */
final class Dispatch {
  private final int experts;
  private final int used;
  private final int[] chosen; // [rows, used]: experts of each token
  private final float[] chosenWeights; // [rows, used]
  private final int[] firstOf; // where each expert's tokens begin, and where the last one's end
  private final int[] tokens; // [rows x used], by expert
  private final float[] weights; // [rows x used], by expert

  Dispatch(int rows, int experts, int used) {
    this.experts = experts;
    this.used = used;
    chosen = new int[Math.multiplyExact(rows, used)];
    chosenWeights = new float[rows * used];
    firstOf = new int[experts + 1];
    tokens = new int[rows * used];
    weights = new float[rows * used];
  }

  /** How many experts each token goes to. */
  int used() {
    return used;
  }

  /** Sends a token to an expert as its {@code rank}-th choice. */
  void choose(int token, int rank, int expert, float weight) {
    chosen[token * used + rank] = expert;
    chosenWeights[token * used + rank] = weight;
  }

  /** Groups the choices of the first {@code rows} tokens by expert: a counting sort. */
  void group(int rows) {
    Arrays.fill(firstOf, 0);
    for (int i = 0; i < rows * used; i++) {
      firstOf[chosen[i] + 1]++;
    }
    for (int expert = 0; expert < experts; expert++) {
      firstOf[expert + 1] += firstOf[expert];
    }
    for (int i = rows * used - 1; i >= 0; i--) {
      int place = --firstOf[chosen[i] + 1];
      tokens[place] = i / used;
      weights[place] = chosenWeights[i];
    }
    // Each firstOf[e + 1] went down to where expert e begins.
    System.arraycopy(firstOf, 1, firstOf, 0, experts);
    firstOf[experts] = rows * used;
  }

  /** How many tokens go to an expert. */
  int count(int expert) {
    return firstOf[expert + 1] - firstOf[expert];
  }

  /** The {@code i}-th token of an expert. */
  int token(int expert, int i) {
    return tokens[firstOf[expert] + i];
  }

  /** The weight of an expert's {@code i}-th token. */
  float weight(int expert, int i) {
    return weights[firstOf[expert] + i];
  }
}
