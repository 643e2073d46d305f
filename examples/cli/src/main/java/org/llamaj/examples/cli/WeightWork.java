package org.llamaj.examples.cli;

import java.util.Collection;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.transformer.Experts;

/**
 * What a model does with its weights, attention not counted. Of a mixture of experts only those
 * that a token uses count.
 *
 * @param bytesPerToken weights read to generate a token
 * @param layerOperations floating-point operations of all layers for a token
 * @param outputOperations those of the projection to the vocabulary, made for tokens whose logits
 *     are wanted: in a prompt the last
 */
record WeightWork(long bytesPerToken, long layerOperations, long outputOperations) {
  private static final String EMBEDDING = "token_embd.weight";
  private static final String OUTPUT = "output.weight";

  static WeightWork of(LlamaModel model) {
    // Where the two are tied, the embedding is the output matrix; otherwise a row of it is read.
    String output = model.checkpoint().find(OUTPUT).isPresent() ? OUTPUT : EMBEDDING;
    Experts experts = model.transformer().configuration().experts();
    double share = experts.count() == 0 ? 0 : (double) experts.used() / experts.count();
    return of(model.weights(), output, share);
  }

  static WeightWork of(Collection<TensorDescription> tensors, String output, double usedExperts) {
    long bytes = 0;
    long layers = 0;
    long vocabulary = 0;
    for (TensorDescription tensor : tensors) {
      if (tensor.name().equals(EMBEDDING) && !output.equals(EMBEDDING)) {
        continue;
      }
      double used = tensor.name().endsWith("_exps.weight") ? usedExperts : 1;
      bytes += Math.round(used * tensor.bytes());
      // A product is a multiplication and an addition for each weight.
      long operations = 2 * Math.round(used * tensor.shape().elements());
      if (tensor.name().equals(output)) {
        vocabulary = operations;
      } else if (tensor.shape().rank() > 1) {
        layers += operations;
      }
    }
    return new WeightWork(bytes, layers, vocabulary);
  }

  /**
   * Reading a prompt.
   *
   * @param tokens of the prompt
   * @return floating-point operations
   */
  double promptOperations(int tokens) {
    return (double) layerOperations * tokens + outputOperations;
  }
}
