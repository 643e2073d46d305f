package org.llamaj.checkpoint.huggingface;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Tensor;

/**
 * Gives tensors their names in GGUF. Most are used where they lie. Two kinds are made when they are
 * wanted: experts of Llama 4, which these files store input by input and not output by output, and
 * 8-bit floats with scales, which become BF16.
 */
final class TensorTranslation {
  private static final Set<String> IGNORED =
      Set.of("input_scale", "output_scale", "input_zero_point", "activation_scale_ub");

  private final String source;
  private final ModelConfig model;
  private final Quantization quantization;
  private final Checkpoint files;

  /** By name in GGUF. */
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();

  TensorTranslation(String source, ModelConfig model, Quantization quantization, Checkpoint files) {
    this.source = source;
    this.model = model;
    this.quantization = quantization;
    this.files = files;
  }

  void translate(List<Tensor> tensors, List<DerivedTensor> derived) {
    for (Tensor tensor : files.tensors()) {
      if (TensorNames.isBuffer(tensor.name())) continue;
      if (!TensorNames.isOfLanguageModel(tensor.name())) {
        tensors.add(
            new Tensor(
                VisionNames.translate(tensor.name()).orElse(tensor.name()),
                tensor.type(),
                tensor.shape(),
                tensor.data()));
        continue;
      }
      TensorNames.Parameter parameter =
          TensorNames.parameter(tensor.name()).orElseThrow(() -> unknown(tensor));
      if (IGNORED.contains(parameter.kind())) continue;
      if (parameters.put(parameter.name(), tensor) != null) {
        throw new CheckpointException(
            "%s: %s: expected one tensor for %s, found another with another name"
                .formatted(source, tensor.name(), parameter.name()));
      }
    }
    if (model.tied()) {
      parameters.remove("output.weight");
    } else if (!parameters.containsKey("output.weight")) {
      throw new CheckpointException(
          source
              + ": expected lm_head.weight, as config.json does not say tie_word_embeddings, found none");
    }
    parameters.forEach((name, tensor) -> translate(name, tensor, tensors, derived));
  }

  private void translate(
      String name, Tensor tensor, List<Tensor> tensors, List<DerivedTensor> derived) {
    if (name.endsWith(".weight_scale") || name.endsWith(".weight_scale_inv")) return;
    if (name.endsWith("_exps")) {
      turnRound(name, tensor, derived);
    } else if (isFloat8(tensor)) {
      derived.add(ScaledWeights.of(name, tensor, scale(name, tensor), inBlocks(name)));
    } else {
      tensors.add(new Tensor(name, tensor.type(), tensor.shape(), tensor.data()));
    }
  }

  private void turnRound(String name, Tensor tensor, List<DerivedTensor> derived) {
    Tensor scale = isFloat8(tensor) ? scale(name + ".weight", tensor) : null;
    if (tensor.shape().rank() != 3) {
      throw new CheckpointException(
          "%s: %s: expected a shape of [experts, inputs, outputs], found %s"
              .formatted(source, tensor.name(), tensor.shape()));
    }
    if (!name.endsWith("ffn_gate_up_exps")) {
      derived.add(TransposedExperts.of(name + ".weight", tensor, 0, tensor.columns(), scale));
      return;
    }
    long half = tensor.columns() / 2;
    String block = name.substring(0, name.length() - "ffn_gate_up_exps".length());
    derived.add(TransposedExperts.of(block + "ffn_gate_exps.weight", tensor, 0, half, scale));
    derived.add(TransposedExperts.of(block + "ffn_up_exps.weight", tensor, half, half, scale));
  }

  private boolean inBlocks(String name) {
    return parameters.containsKey(name + "_scale_inv");
  }

  /** The scales of an 8-bit tensor; null if there are none. */
  private Tensor scale(String name, Tensor tensor) {
    Tensor scale = parameters.get(name + "_scale");
    if (scale == null) scale = parameters.get(name + "_scale_inv");
    if (scale == null && quantization == Quantization.FLOAT8) {
      throw new CheckpointException(
          "%s: %s: expected scales for 8-bit floats, %s_scale, found none"
              .formatted(source, tensor.name(), tensor.name()));
    }
    return scale;
  }

  private static boolean isFloat8(Tensor tensor) {
    return tensor.type() == ElementType.F8_E4M3 || tensor.type() == ElementType.F8_E5M2;
  }

  private CheckpointException unknown(Tensor tensor) {
    return new CheckpointException(
        "%s: %s: expected parameters of a %s model, found one that it does not have"
            .formatted(source, tensor.name(), model.family().architecture()));
  }
}
