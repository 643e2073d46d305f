package org.llamaj.kernel;

import java.util.List;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.SplitTensor;

/** A weight matrix in parts, each as the kernels beneath want it. */
final class SplitMatrix implements WeightMatrix {
  private final SplitTensor tensor;
  private final List<WeightMatrix> parts;
  private SplitProduct product;
  private SplitEmbedding embedding;

  SplitMatrix(SplitTensor tensor, List<WeightMatrix> parts) {
    this.tensor = tensor;
    this.parts = List.copyOf(parts);
  }

  SplitTensor.Along along() {
    return tensor.along();
  }

  List<WeightMatrix> parts() {
    return parts;
  }

  /** What multiplying takes: made once, since a layer has the same x and y every time. */
  SplitProduct product(FloatMatrix x, FloatMatrix y, Kernels kernels, SplitScratch scratch) {
    if (product == null || !product.isOf(x, y)) {
      product =
          switch (tensor.along()) {
            case ROWS -> new RowSplitProduct(kernels, parts, x, y, scratch);
            case COLUMNS -> new ColumnSplitProduct(kernels, parts, x, y, scratch);
          };
    }
    return product;
  }

  /** The same for looking up rows. */
  SplitEmbedding embedding(FloatMatrix output, Kernels kernels, SplitScratch scratch) {
    if (embedding == null || !embedding.isOf(output)) {
      embedding = new SplitEmbedding(kernels, this, output, scratch);
    }
    return embedding;
  }

  @Override
  public String name() {
    return tensor.name();
  }

  @Override
  public int inputs() {
    return Math.toIntExact(tensor.shape().columns());
  }

  @Override
  public int outputs() {
    return Math.toIntExact(tensor.shape().rows());
  }
}
