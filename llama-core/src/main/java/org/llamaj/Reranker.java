package org.llamaj;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.llamaj.generate.Lane;
import org.llamaj.transformer.Sequence;

/**
 * Orders documents by how probable they make a question (Sachan et al. 2022, "Improving Passage
 * Retrieval with Zero-Shot Question Generation"). What documents share at their beginning, and
 * those of an earlier call, are not read again.
 */
final class Reranker {
  /** How many logits rows are held at a time. */
  private static final int ROWS = 16;

  private final LlamaModel model;

  Reranker(LlamaModel model) {
    this.model = model;
  }

  List<Ranked> rank(String question, List<String> documents) {
    Objects.requireNonNull(question, "question");
    List<Ranked> ranked = new ArrayList<>();
    for (int i = 0; i < documents.size(); i++) {
      String document = Objects.requireNonNull(documents.get(i), "document");
      ranked.add(new Ranked(i, document, score(question, document)));
    }
    ranked.sort(Comparator.comparingDouble(Ranked::score).reversed());
    return List.copyOf(ranked);
  }

  private double score(String question, String document) {
    int[] passage = model.promptIds("Passage: " + document + "\n");
    int[] asked = model.ids("Question: " + question);
    try (Sequence sequence = model.transformer().newSequence();
        Lane lane = model.scheduler().open(sequence, 0, OptionalLong.empty())) {
      lane.submitPrompt((batch, to, i) -> batch.add(to, passage[i]), passage, 0, passage.length);
      lane.await();
      double sum = logProbability(lane.logits(0), asked[0]);
      int rows = Math.min(ROWS, lane.capacity());
      for (int from = 0; from < asked.length - 1; from += rows) {
        int count = Math.min(rows, asked.length - 1 - from);
        lane.submit(Arrays.copyOfRange(asked, from, from + count), count, 0);
        lane.await();
        for (int i = 0; i < count; i++) {
          sum += logProbability(lane.logits(i), asked[from + i + 1]);
        }
      }
      return sum / asked.length;
    }
  }

  private static double logProbability(float[] logits, int token) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return logits[token] - max - Math.log(sum);
  }
}
