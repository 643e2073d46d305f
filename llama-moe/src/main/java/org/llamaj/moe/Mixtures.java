package org.llamaj.moe;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.llamaj.spi.FeedForwardContext;
import org.llamaj.spi.FeedForwards;
import org.llamaj.transformer.Experts;
import org.llamaj.transformer.FeedForward;

/** The mixtures of one model. */
final class Mixtures implements FeedForwards {
  private final Experts experts;
  private final ExpertWeights weights;
  private final ReadAhead readAhead; // or null
  private final HotSet hotSet; // or null
  private final List<MixtureOfExperts> layers = new CopyOnWriteArrayList<>();

  Mixtures(FeedForwardContext context) {
    Optional<VirtualMemory> memory = VirtualMemory.open(context.arena());
    experts = context.configuration().experts();
    readAhead = memory.map(ReadAhead::new).orElse(null);
    hotSet =
        memory
            .filter(_ -> context.pinnedBytes() > 0)
            .map(m -> new HotSet(m, context.pinnedBytes()))
            .orElse(null);
    weights = new ExpertWeights(context, readAhead);
  }

  @Override
  public FeedForward layer(int layer) {
    MixtureOfExperts mixture = weights.bind(layer);
    layers.add(mixture);
    if (hotSet == null) {
      return mixture;
    }
    hotSet.add(mixture.experts(), mixture.statistics());
    return layers.size() > 1 ? mixture : advancing(mixture);
  }

  /** The first layer, which the hot set takes its steps with. */
  private FeedForward advancing(MixtureOfExperts first) {
    return (input, rows) -> {
      hotSet.advance();
      return first.forward(input, rows);
    };
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
    if (total == 0) {
      return layers.stream().anyMatch(MixtureOfExperts::isMixed)
          ? "chosen where their weights are"
          : "not used yet";
    }
    return "%d choices so far, %.0f %% of the busiest quarter"
        .formatted(total, 100.0 * ofBusiest / total);
  }

  private String reading() {
    if (readAhead == null) {
      return "read when needed";
    }
    long asked = readAhead.bytesAsked();
    String ahead =
        asked == 0
            ? "nothing read ahead"
            : "%d MiB asked for ahead, of which %.0f %% were in memory"
                .formatted(asked >> 20, 100.0 * readAhead.bytesFound() / asked);
    return hotSet == null ? ahead : ahead + "; %d MiB pinned".formatted(hotSet.lockedBytes() >> 20);
  }
}
