package org.llamaj.moe;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Mixture;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.spi.FeedForwardContext;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.Experts;
import org.llamaj.transformer.FeedForward;
import org.llamaj.transformer.SwiGluFeedForward;
import org.llamaj.transformer.WeightSource;

/**
 * Binds the tensors of mixtures, under GGUF's names: all experts of a layer in one tensor ({@code
 * blk.0.ffn_up_exps.weight}), or each in its own, as files had it until April 2024 ({@code
 * blk.0.ffn_up.7.weight}).
 */
final class ExpertWeights {
  private final Configuration configuration;
  private final Experts experts;
  private final WeightSource weights;
  private final Kernels kernels;
  private final Workspace workspace;
  private final ReadAhead readAhead; // or null

  ExpertWeights(FeedForwardContext context, ReadAhead readAhead) {
    configuration = context.configuration();
    experts = configuration.experts();
    weights = context.weights();
    kernels = context.kernels();
    workspace = Workspace.allocate(context.arena(), context.maxRows(), configuration);
    workspace.keepOn(kernels);
    this.readAhead = readAhead;
  }

  MixtureOfExperts bind(int layer) {
    String block = "blk." + layer + ".";
    int dim = configuration.dim();
    Tensor router = weights.require(block + "ffn_gate_inp.weight", experts.count(), dim);
    List<WeightMatrix> gates = new ArrayList<>();
    List<WeightMatrix> ups = new ArrayList<>();
    List<WeightMatrix> downs = new ArrayList<>();
    Expert[] routed = routed(block, gates, ups, downs);
    return new MixtureOfExperts(
        kernels,
        layer,
        new Router(
            kernels,
            kernels.weightMatrix(router),
            experts.routing(),
            workspace.scores(),
            experts.used()),
        routed,
        new Mixture(gates, ups, downs, experts.used(), experts.routing()),
        experts.shared() ? shared(block) : null,
        workspace,
        readAhead);
  }

  private Expert[] routed(
      String block, List<WeightMatrix> gates, List<WeightMatrix> ups, List<WeightMatrix> downs) {
    int dim = configuration.dim();
    int inner = experts.feedForwardDim();
    IntFunction<Tensor> gate = byExpert(block + "ffn_gate", inner, dim);
    IntFunction<Tensor> up = byExpert(block + "ffn_up", inner, dim);
    IntFunction<Tensor> down = byExpert(block + "ffn_down", dim, inner);
    Expert[] routed = new Expert[experts.count()];
    for (int expert = 0; expert < routed.length; expert++) {
      Tensor[] tensors = {gate.apply(expert), up.apply(expert), down.apply(expert)};
      gates.add(kernels.weightMatrix(tensors[0]));
      ups.add(kernels.weightMatrix(tensors[1]));
      downs.add(kernels.weightMatrix(tensors[2]));
      FeedForward network =
          network(
              gates.getLast(),
              ups.getLast(),
              downs.getLast(),
              workspace.hidden(),
              workspace.expertOutput());
      routed[expert] = new Expert(network, Stream.of(tensors).map(Tensor::data).toList());
    }
    return routed;
  }

  private IntFunction<Tensor> byExpert(String name, int outputs, int inputs) {
    if (weights.find(name + ".0.weight").isPresent()) {
      return expert -> weights.require("%s.%d.weight".formatted(name, expert), outputs, inputs);
    }
    return weights.require(name + "_exps.weight", experts.count(), outputs, inputs)::slice;
  }

  private FeedForward shared(String block) {
    int dim = configuration.dim();
    int inner = experts.feedForwardDim();
    return network(
        kernels.weightMatrix(weights.require(block + "ffn_gate_shexp.weight", inner, dim)),
        kernels.weightMatrix(weights.require(block + "ffn_up_shexp.weight", inner, dim)),
        kernels.weightMatrix(weights.require(block + "ffn_down_shexp.weight", dim, inner)),
        workspace.sharedHidden(),
        workspace.sharedOutput());
  }

  private FeedForward network(
      WeightMatrix gate,
      WeightMatrix up,
      WeightMatrix down,
      SwiGluFeedForward.Scratch hidden,
      FloatMatrix output) {
    return new SwiGluFeedForward(
        kernels, new SwiGluFeedForward.Weights(gate, up, down), hidden, output);
  }
}
