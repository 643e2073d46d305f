package org.llamaj.golden;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Tensor;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a GGUF model of single or 16-bit precision as transformers would: in two safetensors
 * files, with its names, its order of query and key rows, and its layout of experts.
 */
public final class HuggingFaceForm {
  private static final Map<String, String> DENSE =
      Map.of(
          "attn_q", "self_attn.q_proj",
          "attn_k", "self_attn.k_proj",
          "attn_v", "self_attn.v_proj",
          "attn_output", "self_attn.o_proj",
          "attn_norm", "input_layernorm",
          "ffn_norm", "post_attention_layernorm");

  private final Checkpoint model;
  private final Metadata metadata;
  private final String architecture;
  private final boolean llama4;
  private final Map<String, Part> parts = new LinkedHashMap<>();

  private record Part(ElementType type, List<Long> shape, byte[] data) {}

  private HuggingFaceForm(Checkpoint model) {
    this.model = model;
    metadata = model.metadata();
    architecture = metadata.requireString("general.architecture");
    llama4 = architecture.equals("llama4");
  }

  /**
   * Writes the model.
   *
   * @param gguf an unquantised model
   * @param directory exists
   * @param ropeScaling for config.json; GGUF does not tell
   */
  public static void write(Path gguf, Path directory, Map<String, ?> ropeScaling) {
    try (Checkpoint model = Checkpoint.open(gguf)) {
      HuggingFaceForm form = new HuggingFaceForm(model);
      form.translate();
      form.writeFiles(directory, ropeScaling);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private int key(String name, int fallback) {
    return metadata.intOr(architecture + "." + name, fallback, 0, Integer.MAX_VALUE);
  }

  private void translate() {
    for (Tensor tensor : model.tensors()) {
      String name = tensor.name();
      switch (name) {
        case "token_embd.weight" -> put("model.embed_tokens.weight", tensor);
        case "output_norm.weight" -> put("model.norm.weight", tensor);
        case "output.weight" -> put("lm_head.weight", tensor);
        case "rope_freqs.weight" -> {}
        default -> {
          String[] path = name.split("\\.");
          inLayer("model.layers." + path[1] + ".", path[2], "." + path[3], tensor);
        }
      }
    }
  }

  private void inLayer(String layer, String module, String kind, Tensor tensor) {
    boolean mixtral = !llama4 && key("expert_count", 0) > 0;
    if (DENSE.containsKey(module)) {
      byte[] data = bytes(tensor);
      if (!llama4 && module.equals("attn_q")) data = halves(data, key("attention.head_count", 1));
      if (!llama4 && module.equals("attn_k")) {
        data = halves(data, key("attention.head_count_kv", 1));
      }
      put(layer + DENSE.get(module) + kind, tensor, data);
    } else if (module.equals("ffn_gate_inp")) {
      put(layer + (mixtral ? "block_sparse_moe.gate" : "feed_forward.router") + ".weight", tensor);
    } else if (module.endsWith("_shexp")) {
      String part = module.substring(4, module.length() - 6);
      put(layer + "feed_forward.shared_expert." + part + "_proj.weight", tensor);
    } else if (module.endsWith("_exps")) {
      experts(layer, module.substring(4, module.length() - 5), tensor, mixtral);
    } else {
      String owner = llama4 ? "feed_forward." : "mlp.";
      put(layer + owner + module.substring(4) + "_proj.weight", tensor);
    }
  }

  private void experts(String layer, String kind, Tensor tensor, boolean mixtral) {
    if (mixtral) {
      String name = Map.of("gate", "w1", "down", "w2", "up", "w3").get(kind);
      for (int e = 0; e < tensor.shape().size(0); e++) {
        put(layer + "block_sparse_moe.experts." + e + "." + name + ".weight", tensor.slice(e));
      }
      return;
    }
    String prefix = layer + "feed_forward.experts.";
    switch (kind) {
      case "down" -> putTransposed(prefix + "down_proj", List.of(tensor));
      case "up" -> {
        String gate = tensor.name().replace("ffn_up", "ffn_gate");
        putTransposed(prefix + "gate_up_proj", List.of(model.tensor(gate), tensor));
      }
      default -> {}
    }
  }

  /** From [experts, outputs, inputs] of one or two tensors to [experts, inputs, all outputs]. */
  private void putTransposed(String name, List<Tensor> tensors) {
    Tensor first = tensors.getFirst();
    long experts = first.shape().size(0);
    int outputs = (int) first.shape().size(1);
    int inputs = (int) first.columns();
    int value = first.type().blockBytes();
    int all = outputs * tensors.size();
    ByteBuffer turned = ByteBuffer.allocate((int) (experts * inputs * all * value));
    for (int e = 0; e < experts; e++) {
      for (int part = 0; part < tensors.size(); part++) {
        byte[] from = bytes(tensors.get(part).slice(e));
        for (int out = 0; out < outputs; out++) {
          for (int in = 0; in < inputs; in++) {
            int to = ((e * inputs + in) * all + part * outputs + out) * value;
            turned.put(to, from, (out * inputs + in) * value, value);
          }
        }
      }
    }
    parts.put(
        name, new Part(first.type(), List.of(experts, (long) inputs, (long) all), turned.array()));
  }

  /** Rows of each head: 0, 2, 4, ... and then 1, 3, 5, ... */
  private static byte[] halves(byte[] data, int heads, int headDim) {
    byte[] permuted = new byte[data.length];
    int row = data.length / heads / headDim;
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < headDim; i++) {
        int to = i / 2 + i % 2 * headDim / 2;
        System.arraycopy(
            data, (head * headDim + i) * row, permuted, (head * headDim + to) * row, row);
      }
    }
    return permuted;
  }

  private byte[] halves(byte[] data, int heads) {
    return halves(data, heads, headDim());
  }

  private int headDim() {
    return key("attention.key_length", key("embedding_length", 0) / key("attention.head_count", 1));
  }

  private static byte[] bytes(Tensor tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_BYTE);
  }

  private void put(String name, Tensor tensor) {
    put(name, tensor, bytes(tensor));
  }

  private void put(String name, Tensor tensor, byte[] data) {
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < tensor.shape().rank(); i++) shape.add(tensor.shape().size(i));
    parts.put(name, new Part(tensor.type(), shape, data));
  }

  private void writeFiles(Path directory, Map<String, ?> ropeScaling) throws IOException {
    Map<String, String> weightMap = new LinkedHashMap<>();
    List<Map<String, Part>> shards = List.of(new LinkedHashMap<>(), new LinkedHashMap<>());
    parts.forEach(
        (name, part) -> {
          int shard = weightMap.size() * 2 / parts.size();
          weightMap.put(name, "model-0000%d-of-00002.safetensors".formatted(shard + 1));
          shards.get(shard).put(name, part);
        });
    for (int i = 0; i < 2; i++) {
      Files.write(
          directory.resolve("model-0000%d-of-00002.safetensors".formatted(i + 1)),
          safetensors(shards.get(i)));
    }
    json(directory, "model.safetensors.index.json", Map.of("weight_map", weightMap));
    json(directory, "config.json", config(ropeScaling));
    json(directory, "tokenizer.json", tokenizer());
  }

  private static byte[] safetensors(Map<String, Part> parts) {
    Map<String, Object> header = new LinkedHashMap<>();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    parts.forEach(
        (name, part) -> {
          List<Integer> offsets = List.of(data.size(), data.size() + part.data.length);
          header.put(
              name,
              Map.of("dtype", part.type.name(), "shape", part.shape, "data_offsets", offsets));
          data.writeBytes(part.data);
        });
    byte[] text = new JsonMapper().writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length + data.size())
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .put(data.toByteArray())
        .array();
  }

  private Map<String, Object> config(Map<String, ?> ropeScaling) {
    Map<String, Object> config = new LinkedHashMap<>();
    int experts = key("expert_count", 0);
    config.put("model_type", llama4 ? "llama4_text" : experts > 0 ? "mixtral" : "llama");
    config.put("hidden_size", key("embedding_length", 0));
    config.put("num_hidden_layers", key("block_count", 0));
    config.put("num_attention_heads", key("attention.head_count", 0));
    config.put("num_key_value_heads", key("attention.head_count_kv", 0));
    config.put("head_dim", headDim());
    config.put("vocab_size", model.tensor("token_embd.weight").rows());
    config.put("max_position_embeddings", key("context_length", 0));
    config.put(
        "rms_norm_eps", metadata.requireNumber(architecture + ".attention.layer_norm_rms_epsilon"));
    config.put("rope_theta", metadata.numberOr(architecture + ".rope.freq_base", 10_000));
    config.put("rope_scaling", ropeScaling.isEmpty() ? null : ropeScaling);
    config.put("tie_word_embeddings", model.find("output.weight").isEmpty());
    if (experts > 0) {
      config.put("num_local_experts", experts);
      config.put("num_experts_per_tok", key("expert_used_count", 0));
    }
    if (llama4) {
      config.put("intermediate_size_mlp", key("feed_forward_length", 0));
      config.put("intermediate_size", key("expert_feed_forward_length", 0));
      config.put("interleave_moe_layer_step", key("interleave_moe_layer_step", 1));
      config.put("attention_chunk_size", 8192);
      config.put("use_qk_norm", experts != 128);
    } else {
      config.put("intermediate_size", key("feed_forward_length", 0));
    }
    return config;
  }

  /** The same ids; of SentencePiece's vocabularies without their rules. */
  private Map<String, Object> tokenizer() {
    byte[][] tokens = metadata.strings("tokenizer.ggml.tokens").orElseThrow().toArray();
    int[] types = metadata.integers("tokenizer.ggml.token_type").orElseThrow();
    boolean byteLevel = metadata.requireString("tokenizer.ggml.model").equals("gpt2");
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    List<Map<String, ?>> added = new ArrayList<>();
    for (int id = 0; id < tokens.length; id++) {
      String text = new String(tokens[id], StandardCharsets.UTF_8);
      if (types[id] == 3) {
        added.add(Map.of("id", id, "content", text, "special", true));
      } else {
        vocabulary.put(text, id);
      }
    }
    List<String> merges = new ArrayList<>();
    metadata
        .strings("tokenizer.ggml.merges")
        .ifPresent(
            rules -> {
              for (byte[] rule : rules.toArray())
                merges.add(new String(rule, StandardCharsets.UTF_8));
            });
    Map<String, Object> file = new LinkedHashMap<>();
    file.put("added_tokens", added);
    if (byteLevel) {
      file.put("pre_tokenizer", Map.of("type", "Sequence", "pretokenizers", LLAMA_3_SPLIT));
      file.put("decoder", Map.of("type", "ByteLevel"));
    } else {
      file.put(
          "pre_tokenizer",
          Map.of(
              "type",
              "Metaspace",
              "replacement",
              "\u2581",
              "prepend_scheme",
              "first",
              "split",
              false));
      file.put(
          "decoder",
          Map.of(
              "type",
              "Metaspace",
              "replacement",
              "\u2581",
              "prepend_scheme",
              "first",
              "split",
              false));
    }
    file.put(
        "model",
        Map.of(
            "type", "BPE",
            "ignore_merges", byteLevel,
            "byte_fallback", !byteLevel,
            "vocab", vocabulary,
            "merges", merges));
    return file;
  }

  private static final List<Map<String, ?>> LLAMA_3_SPLIT =
      List.of(
          Map.of(
              "type",
              "Split",
              "pattern",
              Map.of(
                  "Regex",
                  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                      + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
              "behavior",
              "Isolated",
              "invert",
              false),
          Map.of("type", "ByteLevel", "add_prefix_space", false, "use_regex", false));

  private static void json(Path directory, String name, Object value) throws IOException {
    Files.writeString(directory.resolve(name), new JsonMapper().writeValueAsString(value));
  }
}
