package org.llamaj.vision.llama4;

import java.lang.foreign.Arena;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.spi.MediaEncoder;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.WeightSource;
import org.llamaj.vision.encoder.TowerWeights;

/** Opens image encoders of Llama 4, from files of their own ({@code mmproj}) or whole models. */
public final class Llama4Vision {
  private static final String PROJECTOR = "clip.projector_type";

  private Llama4Vision() {}

  /**
   * Whether a checkpoint holds such an encoder.
   *
   * @param checkpoint any checkpoint
   * @return true if {@link #open} works
   */
  public static boolean isIn(Checkpoint checkpoint) {
    return projector(checkpoint.metadata()).equals("llama4");
  }

  private static String projector(Metadata metadata) {
    return metadata
        .string("clip.vision.projector_type")
        .or(() -> metadata.string(PROJECTOR))
        .orElse("");
  }

  /**
   * Opens the encoder.
   *
   * @param checkpoint holds it
   * @param textDim width of the language model
   * @param kernels the arithmetic
   * @param workers the threads of the kernels
   * @return the encoder
   * @throws LlamaException if the weights are not whole or do not fit the language model
   */
  public static MediaEncoder open(
      Checkpoint checkpoint, int textDim, Kernels kernels, Workers workers) {
    Arena arena = Arena.ofShared();
    try {
      WeightSource source = checkpoint::find;
      Llama4Configuration configuration = configuration(checkpoint.metadata(), source);
      TowerWeights tensors = new TowerWeights(source, kernels, arena);
      Llama4Weights weights = Llama4Weights.bind(configuration, tensors, textDim);
      return new Llama4Encoder(configuration, weights, kernels, workers, arena);
    } catch (LlamaException e) {
      arena.close();
      throw new LlamaException(checkpoint.source() + ": " + e.getMessage(), e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static Llama4Configuration configuration(Metadata m, WeightSource source) {
    String adapter = "mm.model.mlp.1.weight";
    Tensor adapter1 =
        source
            .find(adapter)
            .orElseThrow(() -> new LlamaException(adapter + ": expected it, found none"));
    String v = "clip.vision.";
    int scale = m.intOr(v + "projector.scale_factor", 2, 1, 64);
    if (scale != 2) {
      throw new LlamaException(
          "%sprojector.scale_factor: expected 2, found %d".formatted(v, scale));
    }
    return new Llama4Configuration(
        m.requireInt(v + "image_size", 1, 1 << 16),
        m.requireInt(v + "patch_size", 1, 1 << 16),
        m.intOr(v + "max_tiles", 16, 1, 1024),
        m.requireInt(v + "embedding_length", 1, 1 << 16),
        m.requireInt(v + "feed_forward_length", 1, 1 << 16),
        m.requireInt(v + "attention.head_count", 1, 1 << 16),
        m.requireInt(v + "block_count", 1, 1 << 12),
        Math.toIntExact(adapter1.rows()),
        (float) m.numberOr(v + "attention.layer_norm_epsilon", 1e-5),
        m.numberOr(v + "rope.freq_base", 10_000),
        TowerWeights.colours(m, v + "image_mean"),
        TowerWeights.colours(m, v + "image_std"));
  }
}
