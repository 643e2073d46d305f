package org.llamaj.moe;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.llamaj.spi.FeedForwards;
import org.llamaj.transformer.Experts;
import org.llamaj.transformer.FeedForward;

/** The mixtures of one model. */
final class Mixtures implements FeedForwards {
  private final Experts experts;
  private final ExpertWeights weights;
  private final ReadAhead readAhead; // or null
  private final List<MixtureOfExperts> layers = new CopyOnWriteArrayList<>();

  Mixtures(Experts experts, ExpertWeights weights, ReadAhead readAhead) {
    this.experts = experts;
    this.weights = weights;
    this.readAhead = readAhead;
  }

  @Override
  public FeedForward layer(int layer) {
    MixtureOfExperts mixture = weights.bind(layer);
    layers.add(mixture);
    return mixture;
  }

  @Override
  public String description() {
    return "%d in each of %d layers, %d used%s; %s; %s"
        .formatted(
            experts.count(),
            layers.size(),
            experts.used(),
            experts.shared() ? " and one shared" : "",
            popularity(),
            reading());
  }

  private String popularity() {
    long total = 0;
    long ofBusiest = 0;
    for (MixtureOfExperts layer : layers) {
      total += layer.statistics().total();
      ofBusiest += layer.statistics().ofBusiestQuarter();
    }
    return total == 0
        ? "not used yet"
        : "%d choices so far, %.0f %% of the busiest quarter"
            .formatted(total, 100.0 * ofBusiest / total);
  }

  private String reading() {
    return readAhead == null
        ? "read when needed"
        : "%d MiB read ahead".formatted(readAhead.bytesRequested() >> 20);
  }
}
