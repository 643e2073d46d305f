package org.llamaj.moe;

import jdk.jfr.FlightRecorder;
import org.llamaj.kernel.ExpertRouting;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Mixture;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.transformer.FeedForward;

/**
 * The mixture of one layer:
 *
 * <pre>
 * Mixtral  y = sum over chosen experts e of  weight(e) expert_e(x)
 * Llama 4  y = shared(x) + sum over chosen experts e of  expert_e(weight(e) x)
 * </pre>
 *
 * <p>Kernels may do all of it where the weights are. Otherwise each chosen expert's network runs
 * once, over all the tokens that chose it; the weights of the others are not touched. Where they
 * have to come from the disk, the first chosen ones are asked for before the shared expert runs,
 * and then always the next but one.
 */
final class MixtureOfExperts implements FeedForward {

  /**
   * How many experts are read ahead: enough to keep a disk busy, not so many as to crowd memory.
   */
  private static final int AHEAD = 2;

  private final Kernels kernels;
  private final int layer;
  private final Router router;
  private final Expert[] experts;
  private final Mixture mixture;
  private final FeedForward shared; // or null
  private final Workspace workspace;
  private final ReadAhead readAhead; // or null
  private final RoutingStatistics statistics;
  private volatile boolean mixed;

  MixtureOfExperts(
      Kernels kernels,
      int layer,
      Router router,
      Expert[] experts,
      Mixture mixture,
      FeedForward shared,
      Workspace workspace,
      ReadAhead readAhead) {
    this.kernels = kernels;
    this.layer = layer;
    this.router = router;
    this.experts = experts;
    this.mixture = mixture;
    this.shared = shared;
    this.workspace = workspace;
    this.readAhead = readAhead;
    statistics = new RoutingStatistics(experts.length);
  }

  RoutingStatistics statistics() {
    return statistics;
  }

  /** Whether the kernels choose experts, and nobody else knows which. */
  boolean isMixed() {
    return mixed;
  }

  Expert[] experts() {
    return experts;
  }

  @Override
  public FloatMatrix forward(FloatMatrix input, int rows) {
    FloatMatrix output = workspace.output();
    FloatMatrix scores = router.score(input, rows);
    mixed = kernels.mix(input, scores, rows, mixture, output);
    if (mixed) {
      if (shared != null) {
        kernels.add(output, shared.forward(input, rows), rows);
      }
    } else {
      expertByExpert(input, rows, output);
    }
    return output;
  }

  private void expertByExpert(FloatMatrix input, int rows, FloatMatrix output) {
    ExpertsEvent event = FlightRecorder.isInitialized() ? new ExpertsEvent() : null;
    if (event != null) {
      event.begin();
    }
    long resident = 0;
    Dispatch dispatch = workspace.dispatch();
    router.route(rows, dispatch);
    statistics.count(dispatch);

    kernels.fetch(input, rows);
    boolean ahead = readAhead != null && readAhead.isUseful();
    for (int i = 0; ahead && i < Math.min(AHEAD, dispatch.chosenExperts()); i++) {
      resident += readAhead.request(experts[dispatch.expert(i)]);
    }
    FloatMatrix ofShared = shared == null ? null : shared.forward(input, rows);
    Rows.clear(output, rows);
    for (int i = 0; i < dispatch.chosenExperts(); i++) {
      if (ahead && i + AHEAD < dispatch.chosenExperts()) {
        resident += readAhead.request(experts[dispatch.expert(i + AHEAD)]);
      }
      addExpert(i, input, output);
    }
    kernels.publish(output, rows);
    if (ofShared != null) {
      kernels.add(output, ofShared, rows);
    }
    if (event != null && event.shouldCommit()) {
      event.readAhead = ahead;
      event.residentBytes = resident;
      commit(event, rows);
    }
  }

  /** Adds what the {@code index}-th chosen expert makes of its tokens. */
  private void addExpert(int index, FloatMatrix input, FloatMatrix output) {
    Dispatch dispatch = workspace.dispatch();
    FloatMatrix gathered = workspace.gathered();
    int count = dispatch.count(index);
    boolean ofInput = mixture.routing() == ExpertRouting.SIGMOID_OF_INPUT;
    for (int i = 0; i < count; i++) {
      float factor = ofInput ? dispatch.weight(index, i) : 1;
      Rows.copyScaled(input, dispatch.token(index, i), factor, gathered, i);
    }
    FloatMatrix results = experts[dispatch.expert(index)].network().forward(gathered, count);
    for (int i = 0; i < count; i++) {
      float factor = ofInput ? 1 : dispatch.weight(index, i);
      Rows.addScaled(results, i, factor, output, dispatch.token(index, i));
    }
  }

  private void commit(ExpertsEvent event, int rows) {
    Dispatch dispatch = workspace.dispatch();
    event.layer = layer;
    event.tokens = rows;
    event.experts = dispatch.chosenExperts();
    for (int i = 0; i < dispatch.chosenExperts(); i++) {
      event.weightBytes += experts[dispatch.expert(i)].bytes();
    }
    event.commit();
  }
}
