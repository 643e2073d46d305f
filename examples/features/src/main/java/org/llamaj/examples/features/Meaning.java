package org.llamaj.examples.features;

import java.util.List;
import org.llamaj.Embedding;
import org.llamaj.LlamaModel;
import org.llamaj.Pooling;
import org.llamaj.Ranked;
import org.llamaj.examples.demomodel.DemoModel;

/** Texts as vectors, and documents in the order of how well they answer a question. */
public final class Meaning {
  private static final List<String> SENTENCES =
      List.of("The fox found a golden key.", "A fox has found a key.", "What is 3 + 4?");

  private Meaning() {}

  /**
   * Compares sentences and ranks documents.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      for (Pooling pooling : Pooling.values()) {
        List<Embedding> vectors = model.embedding().pooling(pooling).embed(SENTENCES);
        double near = vectors.get(0).cosine(vectors.get(1));
        double far = vectors.get(0).cosine(vectors.get(2));
        System.out.printf("%-4s %.1f to the other fox, %.1f to the sum%n", pooling, near, far);
      }

      List<Ranked> ranked =
          model.rerank(
              "What does the baker sell?",
              List.of("The tower is beside the lake.", "The baker sells bread for 3 coins."));
      System.out.println("best: " + ranked.getFirst().document());
    }
  }
}
