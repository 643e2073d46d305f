package org.llamaj.checkpoint.huggingface;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.golden.HuggingFaceForm;
import tools.jackson.databind.json.JsonMapper;

/** Weights of a directory in several files are used where they lie. */
class MappedDirectoryTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int LAYERS = 2;
  private static final long WIDTH = 2048;
  private static final long HIDDEN = 8192;
  private static final long KEYS = 512;

  @TempDir Path directory;

  @Test
  void noWeightIsCopied() throws Exception {
    Path small = Path.of(getClass().getResource("/golden/text/llama2-spm-F32/model.gguf").toURI());
    HuggingFaceForm.write(small, directory, Map.of()); // its vocabulary
    long weights = writeLargeModel();
    assertThat(weights).isGreaterThan(240_000_000);
    load(); // classes
    long before = THREAD.getCurrentThreadAllocatedBytes();
    load();
    // The vocabulary, the configuration: nothing that grows with the weights.
    assertThat(THREAD.getCurrentThreadAllocatedBytes() - before).isLessThan(weights / 20);
  }

  private void load() {
    try (LlamaModel model =
        LlamaModel.builder(directory).kernels("scalar").contextLength(64).threads(1).load()) {
      assertThat(model.checkpoint().files()).hasSizeGreaterThanOrEqualTo(LAYERS + 1);
      assertThat(model.checkpoint().derived()).isEmpty();
      assertThat(model.checkpoint().tensors())
          .hasSize(2 + 9 * LAYERS)
          .allMatch(tensor -> tensor.data().isMapped());
    }
  }

  /** Zeros, in files that take no room on the disk. */
  private long writeLargeModel() throws Exception {
    Map<String, Object> config = new LinkedHashMap<>(json("config.json"));
    long vocabulary = ((Number) config.get("vocab_size")).longValue();
    config.putAll(
        Map.of(
            "hidden_size",
            WIDTH,
            "intermediate_size",
            HIDDEN,
            "num_hidden_layers",
            LAYERS,
            "num_attention_heads",
            32,
            "num_key_value_heads",
            8,
            "head_dim",
            64,
            "tie_word_embeddings",
            true));
    write("config.json", config);
    try (var old = Files.newDirectoryStream(directory, "*.safetensors")) {
      for (Path file : old) Files.delete(file);
    }
    Map<String, String> places = new LinkedHashMap<>();
    long bytes =
        writeShard(
            "model-1.safetensors",
            Map.of(
                "model.embed_tokens.weight", List.of(vocabulary, WIDTH),
                "model.norm.weight", List.of(WIDTH)),
            places);
    for (int i = 0; i < LAYERS; i++) {
      Map<String, List<Long>> layer =
          Map.of(
              "self_attn.q_proj", List.of(WIDTH, WIDTH),
              "self_attn.k_proj", List.of(KEYS, WIDTH),
              "self_attn.v_proj", List.of(KEYS, WIDTH),
              "self_attn.o_proj", List.of(WIDTH, WIDTH),
              "mlp.gate_proj", List.of(HIDDEN, WIDTH),
              "mlp.up_proj", List.of(HIDDEN, WIDTH),
              "mlp.down_proj", List.of(WIDTH, HIDDEN),
              "input_layernorm", List.of(WIDTH),
              "post_attention_layernorm", List.of(WIDTH));
      String prefix = "model.layers." + i + ".";
      Map<String, List<Long>> named =
          layer.entrySet().stream()
              .collect(Collectors.toMap(e -> prefix + e.getKey() + ".weight", Map.Entry::getValue));
      bytes += writeShard("model-%d.safetensors".formatted(i + 2), named, places);
    }
    write("model.safetensors.index.json", Map.of("weight_map", places));
    return bytes;
  }

  private long writeShard(String name, Map<String, List<Long>> shapes, Map<String, String> places)
      throws Exception {
    Map<String, Object> header = new LinkedHashMap<>();
    long end = 0;
    for (Map.Entry<String, List<Long>> tensor : shapes.entrySet()) {
      long begin = end;
      end += 2 * tensor.getValue().stream().reduce(1L, Math::multiplyExact);
      header.put(
          tensor.getKey(),
          Map.of("dtype", "BF16", "shape", tensor.getValue(), "data_offsets", List.of(begin, end)));
      places.put(tensor.getKey(), name);
    }
    byte[] text = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file = new RandomAccessFile(directory.resolve(name).toFile(), "rw")) {
      file.writeLong(Long.reverseBytes(text.length));
      file.write(text);
      file.setLength(8 + text.length + end);
    }
    return end;
  }

  @SuppressWarnings("unchecked")
  private Map<String, Object> json(String name) {
    return JSON.readValue(directory.resolve(name).toFile(), Map.class);
  }

  private void write(String name, Object value) {
    JSON.writeValue(directory.resolve(name).toFile(), value);
  }
}
