package org.llamaj.checkpoint.meta;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.SplitTensor;
import org.llamaj.tensor.Tensor;

/**
 * Gives tensors their names in GGUF, and knows how Meta's code splits them for several devices
 * (Megatron-LM's column- and row-parallel layers): rows of projections that widen, columns of those
 * that narrow, and one or the other of the embedding.
 */
final class ShardMerge {
  private static final Pattern LAYER = Pattern.compile("layers\\.(\\d{1,5})\\.(.*)\\.weight");
  private static final Map<String, String> MODULES =
      Map.of(
          "attention.wq", "attn_q",
          "attention.wk", "attn_k",
          "attention.wv", "attn_v",
          "attention.wo", "attn_output",
          "attention_norm", "attn_norm",
          "ffn_norm", "ffn_norm",
          "feed_forward.w1", "ffn_gate",
          "feed_forward.w2", "ffn_down",
          "feed_forward.w3", "ffn_up");
  private static final Map<String, String> OUTSIDE =
      Map.of(
          "tok_embeddings.weight", "token_embd.weight",
          "norm.weight", "output_norm.weight",
          "output.weight", "output.weight");

  private final String source;
  private final List<SequencedMap<String, Tensor>> shards;

  ShardMerge(String source, List<SequencedMap<String, Tensor>> shards) {
    this.source = source;
    this.shards = shards;
  }

  void translate(List<Tensor> tensors, List<DerivedTensor> derived) {
    for (String original : shards.getFirst().sequencedKeySet()) {
      if (original.equals("rope.freqs")) continue; // computed
      String name = name(original);
      List<Tensor> parts = parts(original);
      Tensor first = parts.getFirst();
      if (parts.size() == 1 || first.shape().rank() == 1) { // norms are in every file
        tensors.add(new Tensor(name, first.type(), first.shape(), first.data()));
      } else {
        derived.add(DerivedTensor.joined(split(name, original, parts)));
      }
    }
  }

  /** The shape of a tensor in all files together. */
  Shape shape(String original) {
    return split(original, original, parts(original)).shape();
  }

  private SplitTensor split(String name, String original, List<Tensor> parts) {
    SplitTensor.Along along =
        splitsColumns(original) ? SplitTensor.Along.COLUMNS : SplitTensor.Along.ROWS;
    try {
      return new SplitTensor(name, along, parts);
    } catch (LlamaException e) {
      throw new CheckpointException(source + ": " + e.getMessage(), e);
    }
  }

  private List<Tensor> parts(String original) {
    List<Tensor> parts = new ArrayList<>();
    for (SequencedMap<String, Tensor> shard : shards) {
      Tensor part = shard.get(original);
      if (part == null) {
        throw new CheckpointException(
            "%s: %s: expected it in each of %d files, found none in file %d"
                .formatted(source, original, shards.size(), parts.size()));
      }
      if (!parts.isEmpty()
          && !(part.shape().equals(parts.getFirst().shape())
              && part.type() == parts.getFirst().type())) {
        throw new CheckpointException(
            "%s: %s: expected %s %s in each file, found %s %s in file %d"
                .formatted(
                    source,
                    original,
                    parts.getFirst().type(),
                    parts.getFirst().shape(),
                    part.type(),
                    part.shape(),
                    parts.size()));
      }
      parts.add(part);
    }
    return parts;
  }

  /** The embedding's columns were split up to Llama 2, its rows since. */
  private boolean splitsColumns(String original) {
    if (original.equals("tok_embeddings.weight")) {
      Tensor norm = shards.getFirst().get("norm.weight");
      Tensor embedding = shards.getFirst().get(original);
      return norm != null && embedding.columns() < norm.columns();
    }
    return original.endsWith("attention.wo.weight") || original.endsWith("feed_forward.w2.weight");
  }

  private String name(String original) {
    String outside = OUTSIDE.get(original);
    if (outside != null) return outside;
    Matcher layer = LAYER.matcher(original);
    return Optional.of(layer)
        .filter(Matcher::matches)
        .map(found -> MODULES.get(found.group(2)))
        .map(module -> "blk.%s.%s.weight".formatted(layer.group(1), module))
        .orElseThrow(
            () ->
                new CheckpointException(
                    "%s: %s: expected parameters of Llama 1 to 3, found one that they do not have; take the model as on Hugging Face, or as GGUF"
                        .formatted(source, original)));
  }
}
