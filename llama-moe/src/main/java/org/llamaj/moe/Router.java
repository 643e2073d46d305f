package org.llamaj.moe;

import org.llamaj.LlamaException;
import org.llamaj.kernel.ExpertRouting;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/** Chooses the experts of each token: those with the highest scores x router^T. */
final class Router {
  private final Kernels kernels;
  private final WeightMatrix weight; // [experts, dim]
  private final ExpertRouting routing;
  private final Projection[] toScores;
  private final float[] scores; // of one token
  private final int[] best; // of one token, the highest score first

  Router(
      Kernels kernels, WeightMatrix weight, ExpertRouting routing, FloatMatrix scores, int used) {
    this.kernels = kernels;
    this.weight = weight;
    this.routing = routing;
    this.scores = new float[scores.columns()];
    toScores = new Projection[] {new Projection(weight, scores)};
    best = new int[used];
  }

  /**
   * Scores the experts: input x router^T.
   *
   * @param input rows of dim values
   * @param rows how many rows
   * @return rows of one value per expert
   */
  FloatMatrix score(FloatMatrix input, int rows) {
    kernels.project(input, rows, toScores);
    return toScores[0].output();
  }

  /**
   * Routes the rows that were scored.
   *
   * @param rows how many rows
   * @param dispatch receives the choices, grouped by expert
   * @throws LlamaException if a score is not a number
   */
  void route(int rows, Dispatch dispatch) {
    kernels.fetch(toScores[0].output(), rows);
    for (int row = 0; row < rows; row++) {
      toScores[0].output().copyRow(row, scores);
      chooseBest();
      for (int rank = 0; rank < best.length; rank++) {
        dispatch.choose(row, rank, best[rank], weight(rank));
      }
    }
    dispatch.group(rows);
  }

  /** Inserts each score into the sorted list of the best; of equal ones the first stays. */
  private void chooseBest() {
    for (int expert = 0; expert < scores.length; expert++) {
      if (!Float.isFinite(scores[expert])) {
        throw new LlamaException(
            "%s: expected finite scores of the experts, found %f for expert %d: weights are damaged, or activations overflowed"
                .formatted(weight.name(), scores[expert], expert));
      }
      int rank = Math.min(expert, best.length);
      while (rank > 0 && scores[best[rank - 1]] < scores[expert]) {
        if (rank < best.length) {
          best[rank] = best[rank - 1];
        }
        rank--;
      }
      if (rank < best.length) {
        best[rank] = expert;
      }
    }
  }

  private float weight(int rank) {
    return switch (routing) {
      case SIGMOID_OF_INPUT -> (float) (1 / (1 + Math.exp(-scores[best[rank]])));
      case SOFTMAX -> {
        double sum = 0;
        for (int expert : best) {
          sum += Math.exp(scores[expert] - scores[best[0]]);
        }
        yield (float) (Math.exp(scores[best[rank]] - scores[best[0]]) / sum);
      }
    };
  }
}
