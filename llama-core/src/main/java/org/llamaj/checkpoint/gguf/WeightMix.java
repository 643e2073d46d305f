package org.llamaj.checkpoint.gguf;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;

/**
 * Which element type each tensor of a quantised model has, by the conventions of llama-quantize:
 * more bits where errors hurt most.
 *
 * @param fileType the mixture
 * @param layers transformer blocks of the model
 * @param queryHeadsPerKvHead attention heads that share a key-value head
 * @param experts experts of a layer, 0 for a dense model
 * @param tied whether the embedding matrix is the output matrix too
 * @param importance whether an importance matrix says which columns matter
 */
public record WeightMix(
    FileType fileType,
    int layers,
    int queryHeadsPerKvHead,
    int experts,
    boolean tied,
    boolean importance) {
  private static final Pattern LAYER =
      Pattern.compile("blk\\.(\\d+)\\.(\\w+)(?:\\.\\d+)?\\.weight");

  private static final Pattern COVERED =
      Pattern.compile("(token_embd|output_norm|output|rope_freqs|blk\\.\\d+)\\..*");

  /** A layout that some models share: key-value heads so few that their weights are cheap. */
  private static final int MANY_QUERY_HEADS = 4;

  /** The size of Mixtral, whose attention is small beside its experts. */
  private static final int MIXTRAL_EXPERTS = 8;

  /** The layers of Llama 2 and 3 70B. */
  private static final int LAYERS_OF_70B = 80;

  /**
   * The mixture for a model.
   *
   * @param fileType the mixture
   * @param checkpoint the model, in whatever types
   * @param importance whether an importance matrix says which columns matter
   * @return its mixture
   * @throws org.llamaj.checkpoint.CheckpointException if the checkpoint is no model
   */
  public static WeightMix of(FileType fileType, Checkpoint checkpoint, boolean importance) {
    Metadata metadata = checkpoint.metadata();
    String prefix = metadata.requireString("general.architecture") + ".";
    int heads = metadata.requireInt(prefix + "attention.head_count", 1, 1 << 20);
    int kvHeads = metadata.intOr(prefix + "attention.head_count_kv", heads, 1, heads);
    return new WeightMix(
        fileType,
        metadata.requireInt(prefix + "block_count", 1, 1 << 20),
        heads / kvHeads,
        metadata.intOr(prefix + "expert_count", 0, 0, 1 << 20),
        checkpoint.find("output.weight").isEmpty(),
        importance);
  }

  /**
   * Whether a tensor is one of a language model: those of image encoders keep their types.
   *
   * @param name for example {@code blk.0.ffn_down.weight}
   * @return false for a name that is none of GGUF's for language models
   */
  public static boolean covers(String name) {
    return COVERED.matcher(name).matches();
  }

  /**
   * The type of a tensor.
   *
   * @param name for example {@code blk.0.ffn_down.weight}
   * @param shape its shape
   * @return its type; one with smaller blocks than the mixture asks for if the rows need it
   */
  public ElementType type(String name, Shape shape) {
    return fitting(wanted(name), name, shape);
  }

  /**
   * The type of a tensor where no tensor gets more bits than others.
   *
   * @param name for example {@code blk.0.ffn_down.weight}
   * @param shape its shape
   * @return the main type; one with smaller blocks if the rows need it
   */
  public ElementType mainType(String name, Shape shape) {
    return fitting(fileType.main(), name, shape);
  }

  private ElementType fitting(ElementType wanted, String name, Shape shape) {
    if (shape.rank() == 1 || name.contains("norm") || name.contains("ffn_gate_inp")) {
      return ElementType.F32;
    }
    if (!fileType.main().isQuantised()) return fileType.main();
    ElementType type = wanted;
    while (type.isQuantised() && shape.columns() % type.blockSize() != 0) {
      type = smallerBlocks(type);
    }
    return type;
  }

  private ElementType wanted(String name) {
    ElementType main = fileType.main();
    if (name.equals("output.weight") || tied && name.equals("token_embd.weight")) {
      return main == ElementType.Q8_0 ? main : ElementType.Q6_K;
    }
    Matcher matcher = LAYER.matcher(name);
    if (!matcher.matches()) return main;
    int layer = Integer.parseInt(matcher.group(1));
    return switch (matcher.group(2)) {
      case "attn_v" -> experts == MIXTRAL_EXPERTS ? ElementType.Q8_0 : valueProjection(layer);
      case "attn_k" -> experts == MIXTRAL_EXPERTS ? ElementType.Q8_0 : main;
      case "attn_output" -> attentionOutput();
      case "ffn_down", "ffn_down_exps", "ffn_down_shexp" -> downProjection(layer);
      default -> main;
    };
  }

  private ElementType valueProjection(int layer) {
    ElementType chosen = valueProjectionOfSmallModels(layer);
    boolean cheap = layers == LAYERS_OF_70B && queryHeadsPerKvHead > 1 && experts == 0;
    return cheap && (chosen == ElementType.Q3_K || chosen == ElementType.Q4_K)
        ? ElementType.Q5_K
        : chosen;
  }

  private ElementType valueProjectionOfSmallModels(int layer) {
    ElementType main = fileType.main();
    boolean manyQueryHeads = queryHeadsPerKvHead >= MANY_QUERY_HEADS;
    return switch (fileType) {
      case Q2_K -> manyQueryHeads ? ElementType.Q4_K : ElementType.Q3_K;
      case Q2_K_S -> manyQueryHeads ? ElementType.Q4_K : main;
      case Q3_K_M -> layer < 2 ? ElementType.Q5_K : ElementType.Q4_K;
      case Q3_K_L -> ElementType.Q5_K;
      case Q4_K_S -> layer < 4 ? ElementType.Q5_K : main;
      case Q4_K_M, Q5_K_M -> isSensitive(layer) ? ElementType.Q6_K : main;
      case IQ4_NL, IQ4_XS -> manyQueryHeads ? ElementType.Q5_K : main;
      default -> main;
    };
  }

  private ElementType attentionOutput() {
    ElementType main = fileType.main();
    if (experts == MIXTRAL_EXPERTS) {
      return switch (fileType) {
        case Q2_K, Q3_K_S, Q3_K_M, Q4_K_S, Q4_K_M, IQ4_NL, IQ4_XS -> ElementType.Q5_K;
        default -> main;
      };
    }
    return switch (fileType) {
      case Q2_K -> ElementType.Q3_K;
      case Q3_K_M -> ElementType.Q4_K;
      case Q3_K_L -> ElementType.Q5_K;
      default -> main;
    };
  }

  private ElementType downProjection(int layer) {
    ElementType main = fileType.main();
    boolean first = layer < layers / 8;
    return switch (fileType) {
      case Q2_K -> ElementType.Q3_K;
      case Q2_K_S -> first ? ElementType.Q4_K : main;
      case Q3_K_M -> layer < layers / 16 ? ElementType.Q5_K : ElementType.Q4_K;
      case Q3_K_L -> ElementType.Q5_K;
      case Q4_K_S -> first ? ElementType.Q5_K : main;
      case IQ4_NL, IQ4_XS -> first && !importance ? ElementType.Q5_K : main;
      case Q4_K_M, Q5_K_M -> isSensitive(layer) ? ElementType.Q6_K : main;
      case Q4_0 -> first && importance ? ElementType.Q4_1 : main;
      case Q5_0 -> first && importance ? ElementType.Q5_1 : main;
      default -> main;
    };
  }

  /** The first and the last eighth of the layers, and every third between. */
  private boolean isSensitive(int layer) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }

  private static ElementType smallerBlocks(ElementType type) {
    return switch (type) {
      case IQ4_XS -> ElementType.IQ4_NL;
      case Q2_K, Q3_K -> ElementType.Q4_0;
      case Q4_K -> ElementType.Q5_0;
      case Q5_K -> ElementType.Q5_1;
      case Q6_K -> ElementType.Q8_0;
      default -> ElementType.F16;
    };
  }
}
