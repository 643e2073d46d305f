package org.llamaj.moe;

import java.util.Arrays;

/**
 * Which tokens of a batch go to which expert, and with which weight: written token by token by the
 * {@link Router}, read expert by expert.
 */
final class Dispatch {
  private final int used;
  private final int[] choices; // [rows, used]: experts of each token
  private final float[] choiceWeights; // [rows, used]
  private final int[] counts; // tokens of each expert
  private final int[] chosen; // experts that have tokens
  private final int[] firstOf; // where each chosen expert's tokens begin
  private final int[] places; // by expert, while sorting
  private final int[] tokens; // [rows x used], by expert
  private final float[] weights; // [rows x used], by expert
  private int chosenCount;

  Dispatch(int rows, int experts, int used) {
    this.used = used;
    choices = new int[Math.multiplyExact(rows, used)];
    choiceWeights = new float[rows * used];
    counts = new int[experts];
    chosen = new int[experts];
    firstOf = new int[experts];
    places = new int[experts];
    tokens = new int[rows * used];
    weights = new float[rows * used];
  }

  /** Sends a token to an expert as its {@code rank}-th choice. */
  void choose(int token, int rank, int expert, float weight) {
    choices[token * used + rank] = expert;
    choiceWeights[token * used + rank] = weight;
  }

  /** Groups the choices of the first {@code rows} tokens by expert: a counting sort. */
  void group(int rows) {
    Arrays.fill(counts, 0);
    for (int i = 0; i < rows * used; i++) {
      counts[choices[i]]++;
    }
    chosenCount = 0;
    int first = 0;
    for (int expert = 0; expert < counts.length; expert++) {
      if (counts[expert] > 0) {
        chosen[chosenCount] = expert;
        firstOf[chosenCount] = first;
        chosenCount++;
        places[expert] = first;
        first += counts[expert];
      }
    }
    for (int i = 0; i < rows * used; i++) {
      int place = places[choices[i]]++;
      tokens[place] = i / used;
      weights[place] = choiceWeights[i];
    }
  }

  /** How many experts have tokens. */
  int chosenExperts() {
    return chosenCount;
  }

  /** The {@code index}-th expert that has tokens. */
  int expert(int index) {
    return chosen[index];
  }

  /** How many tokens the {@code index}-th expert has. */
  int count(int index) {
    return counts[chosen[index]];
  }

  /** The {@code i}-th token of the {@code index}-th expert. */
  int token(int index, int i) {
    return tokens[firstOf[index] + i];
  }

  /** The weight of the {@code i}-th token of the {@code index}-th expert. */
  float weight(int index, int i) {
    return weights[firstOf[index] + i];
  }
}
