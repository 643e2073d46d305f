package org.llamaj.vision.mllama;

import java.lang.foreign.Arena;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.spi.MediaEncoder;
import org.llamaj.vision.encoder.TowerWeights;

/**
 * Opens the image encoders of Llama 3.2 Vision, from directories as on Hugging Face and from GGUF
 * files as Ollama writes them: the model's own or the projector's, with keys of the architecture
 * {@code mllama} and with gates that went through tanh already.
 */
public final class MllamaVision {
  private static final int MOST = 1 << 16;
  private static final String OLLAMA = "mllama.vision.";

  /** What Ollama's files leave out, as in Meta's release. */
  private static final int[] INTERMEDIATE_LAYERS = {3, 7, 15, 23, 30};

  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
  private static final float[] DEVIATION = {0.26862954f, 0.26130258f, 0.27577711f};

  private MllamaVision() {}

  /**
   * Whether a checkpoint holds such an encoder.
   *
   * @param checkpoint any checkpoint
   * @return true if {@link #open} works
   */
  public static boolean isIn(Checkpoint checkpoint) {
    return isFromOllama(checkpoint)
        || checkpoint.metadata().string("clip.projector_type").orElse("").equals("mllama");
  }

  private static boolean isFromOllama(Checkpoint checkpoint) {
    return checkpoint.metadata().integer(OLLAMA + "block_count").isPresent()
        && checkpoint.find("v.patch_embd.weight").isPresent();
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
      boolean ollama = isFromOllama(checkpoint);
      Metadata metadata = checkpoint.metadata();
      MllamaConfiguration configuration =
          ollama ? ollamaConfiguration(metadata) : configuration(metadata);
      TowerWeights tensors = new TowerWeights(checkpoint::find, kernels, arena);
      MllamaWeights weights = MllamaWeights.bind(configuration, tensors, textDim, ollama);
      return new MllamaEncoder(configuration, weights, kernels, workers, arena);
    } catch (LlamaException e) {
      arena.close();
      throw new LlamaException(checkpoint.source() + ": " + e.getMessage(), e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static MllamaConfiguration configuration(Metadata m) {
    String v = "clip.vision.";
    return new MllamaConfiguration(
        m.requireInt(v + "image_size", 1, MOST),
        m.requireInt(v + "patch_size", 1, MOST),
        m.intOr(v + "max_tiles", 4, 1, 64),
        m.requireInt(v + "embedding_length", 1, MOST),
        m.requireInt(v + "feed_forward_length", 1, MOST),
        m.requireInt(v + "attention.head_count", 1, MOST),
        m.requireInt(v + "block_count", 1, 1 << 12),
        m.requireInt(v + "global_block_count", 0, 1 << 12),
        m.integers(v + "intermediate_layers").orElse(new int[0]),
        (float) m.numberOr(v + "attention.layer_norm_epsilon", 1e-5),
        TowerWeights.colours(m, v + "image_mean"),
        TowerWeights.colours(m, v + "image_std"));
  }

  private static MllamaConfiguration ollamaConfiguration(Metadata m) {
    String v = OLLAMA;
    return new MllamaConfiguration(
        m.requireInt(v + "image_size", 1, MOST),
        m.requireInt(v + "patch_size", 1, MOST),
        m.intOr(v + "max_num_tiles", 4, 1, 64),
        m.requireInt(v + "embedding_length", 1, MOST),
        m.requireInt(v + "feed_forward_length", 1, MOST),
        m.requireInt(v + "attention.head_count", 1, MOST),
        m.requireInt(v + "block_count", 1, 1 << 12),
        m.requireInt(v + "global.block_count", 0, 1 << 12),
        m.integers(v + "intermediate_layers_indices").orElse(INTERMEDIATE_LAYERS),
        (float) m.numberOr(v + "attention.layer_norm_epsilon", 1e-5),
        MEAN,
        DEVIATION);
  }
}
