package org.llamaj.moe;

import java.util.List;
import java.util.function.IntFunction;
import org.llamaj.kernel.Kernels;
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
    this.readAhead = readAhead;
  }

  MixtureOfExperts bind(int layer) {
    String block = "blk." + layer + ".";
    int dim = configuration.dim();
    Tensor router = weights.require(block + "ffn_gate_inp.weight", experts.count(), dim);
    return new MixtureOfExperts(
        kernels,
        layer,
        new Router(
            kernels,
            kernels.weightMatrix(router),
            experts.routing(),
            workspace.scores(),
            experts.used()),
        experts.routing(),
        routed(block),
        experts.shared() ? shared(block) : null,
        workspace,
        readAhead);
  }

  private Expert[] routed(String block) {
    int dim = configuration.dim();
    int inner = experts.feedForwardDim();
    IntFunction<Tensor> gate = byExpert(block + "ffn_gate", inner, dim);
    IntFunction<Tensor> up = byExpert(block + "ffn_up", inner, dim);
    IntFunction<Tensor> down = byExpert(block + "ffn_down", dim, inner);
    Expert[] routed = new Expert[experts.count()];
    for (int expert = 0; expert < routed.length; expert++) {
      routed[expert] = expert(gate.apply(expert), up.apply(expert), down.apply(expert));
    }
    return routed;
  }

  private Expert expert(Tensor gate, Tensor up, Tensor down) {
    FeedForward network = network(gate, up, down, workspace.expertOutput());
    return new Expert(network, List.of(gate.data(), up.data(), down.data()));
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
        weights.require(block + "ffn_gate_shexp.weight", inner, dim),
        weights.require(block + "ffn_up_shexp.weight", inner, dim),
        weights.require(block + "ffn_down_shexp.weight", dim, inner),
        workspace.output());
  }

  private FeedForward network(Tensor gate, Tensor up, Tensor down, FloatMatrix output) {
    WeightMatrix gateMatrix = kernels.weightMatrix(gate);
    WeightMatrix upMatrix = kernels.weightMatrix(up);
    WeightMatrix downMatrix = kernels.weightMatrix(down);
    return new SwiGluFeedForward(
        kernels,
        new SwiGluFeedForward.Weights(gateMatrix, upMatrix, downMatrix),
        workspace.hidden(),
        output);
  }
}
