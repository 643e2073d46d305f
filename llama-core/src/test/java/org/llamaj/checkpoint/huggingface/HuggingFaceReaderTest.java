package org.llamaj.checkpoint.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.Llama3Scaling;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

class HuggingFaceReaderTest {
  private static final String CONFIG =
      """
      {"model_type":"llama","hidden_size":2,"num_hidden_layers":1,"num_attention_heads":1,
       "intermediate_size":3,"vocab_size":2,"max_position_embeddings":16,"rms_norm_eps":1e-5,
       "tie_word_embeddings":true}
      """;

  @TempDir Path directory;

  private final List<String> header = new ArrayList<>();
  private final ByteBuffer data = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

  private HuggingFaceReaderTest add(String name, String type, String shape, byte[] bytes) {
    int end = data.position() + bytes.length;
    header.add(
        "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
            .formatted(name, type, shape, data.position(), end));
    data.put(bytes);
    return this;
  }

  private static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) bytes.putFloat(value);
    return bytes.array();
  }

  private void write(String config) throws IOException {
    byte[] text = "{%s}".formatted(String.join(",", header)).getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + text.length + data.position()).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text).put(data.array(), 0, data.position());
    Files.write(directory.resolve("model.safetensors"), file.array());
    Files.writeString(directory.resolve("config.json"), config);
  }

  private static float[] made(Checkpoint checkpoint, String name) {
    DerivedTensor recipe =
        checkpoint.derived().stream()
            .filter(derived -> derived.description().name().equals(name))
            .findFirst()
            .orElseThrow();
    try (Arena arena = Arena.ofShared()) {
      Tensor tensor = recipe.make(arena);
      assertThat(tensor.type()).isEqualTo(ElementType.BF16);
      return tensor.toFloats();
    }
  }

  @Test
  void multipliesEightBitFloatsByTheirScales() throws IOException {
    byte[] oneTwoFour = {0x38, 0x40, 0x48, (byte) 0xB8, (byte) 0xC0, (byte) 0xC8};
    String layer = "model.layers.0.";
    add(layer + "mlp.up_proj.weight", "F8_E4M3", "[2,3]", oneTwoFour)
        .add(layer + "mlp.up_proj.weight_scale", "F32", "[2,1]", floats(2, 10))
        .add(layer + "mlp.up_proj.input_scale", "F32", "[]", floats(7))
        .add(layer + "mlp.gate_proj.weight", "F8_E4M3", "[2,3]", oneTwoFour)
        .add(layer + "mlp.gate_proj.weight_scale", "F32", "[]", floats(3))
        .add(layer + "mlp.down_proj.weight", "F8_E5M2", "[1,2]", new byte[] {0x3C, 0x40})
        .add(layer + "mlp.down_proj.weight_scale", "F32", "[1]", floats(0.5f))
        .add(layer + "self_attn.q_proj.weight", "F8_E4M3", "[2,3]", oneTwoFour)
        .add(layer + "self_attn.q_proj.weight_scale_inv", "F32", "[1,2]", floats(1, 100))
        .write(
            CONFIG.replace(
                "\"model_type\"",
                "\"quantization_config\":{\"quant_method\":\"fbgemm_fp8\"},\"model_type\""));
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertThat(made(checkpoint, "blk.0.ffn_up.weight")).containsExactly(2, 4, 8, -10, -20, -40);
      assertThat(made(checkpoint, "blk.0.ffn_gate.weight")).containsExactly(3, 6, 12, -3, -6, -12);
      assertThat(made(checkpoint, "blk.0.ffn_down.weight")).containsExactly(0.5f, 1);
      // Blocks of two columns; the last is cut.
      assertThat(made(checkpoint, "blk.0.attn_q.weight")).containsExactly(1, 2, 400, -1, -2, -400);
      assertThat(checkpoint.tensors()).isEmpty();
    }
  }

  /** Maverick's experts: input by input, gate before up, a scale for each output. */
  @Test
  void eightBitExpertsAreTurnedRoundAndMultipliedByTheirScales() throws IOException {
    String experts = "language_model.model.layers.0.feed_forward.experts.";
    byte one = 0x38;
    byte two = 0x40;
    byte four = 0x48;
    // [2 experts, 3 inputs, 2 + 2 outputs]
    byte[] gateUp = {
      one, two, four, one, two, two, two, two, four, one, one, one, // expert 0
      one, one, one, one, two, four, two, four, one, two, four, one // expert 1
    };
    add(experts + "gate_up_proj", "F8_E4M3", "[2,3,4]", gateUp)
        .add(experts + "gate_up_proj_scale", "F32", "[2,1,4]", floats(1, 10, 100, 1000, 2, 3, 4, 5))
        .add(
            experts + "down_proj", "F8_E4M3", "[1,2,3]", new byte[] {one, two, four, two, two, one})
        .add(experts + "down_proj_scale", "F32", "[1,1,3]", floats(1, 2, 3))
        .write(
            CONFIG
                .replace("\"llama\"", "\"llama4_text\"")
                .replace(
                    "\"hidden_size\"",
                    "\"quantization_config\":{\"quant_method\":\"fbgemm_fp8\"},"
                        + "\"num_local_experts\":2,\"hidden_size\""));
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertThat(made(checkpoint, "blk.0.ffn_gate_exps.weight"))
          .containsExactly(1, 2, 4, 20, 20, 10, 2, 4, 2, 3, 12, 6);
      assertThat(made(checkpoint, "blk.0.ffn_up_exps.weight"))
          .containsExactly(400, 200, 100, 1000, 2000, 1000, 4, 8, 16, 5, 20, 5);
      assertThat(made(checkpoint, "blk.0.ffn_down_exps.weight")).containsExactly(1, 2, 4, 4, 12, 3);
      assertThat(checkpoint.description("blk.0.ffn_up_exps.weight").shape())
          .isEqualTo(Shape.of(2, 2, 3));
    }
  }

  @Test
  void scalesThatDoNotFitAreRefused() throws IOException {
    String fp8 =
        CONFIG.replace(
            "\"model_type\"", "\"quantization_config\":{\"quant_method\":\"fp8\"},\"model_type\"");
    add("model.norm.weight", "F8_E4M3", "[2,1]", new byte[2]).write(fp8);
    assertRefused("expected scales for 8-bit floats");
    add("model.norm.weight_scale", "F32", "[3]", floats(1, 2, 3)).write(fp8);
    assertRefused("expected a scale, or one for each of 2 rows");
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        wrong("\"model_type\":\"llama\"", "\"model_type\":\"gpt2\"", "found gpt2"),
        wrong("\"model_type\":\"llama\",", "", "model_type: expected llama"),
        wrong("\"hidden_size\":2", "\"hidden_size\":\"2\"", "hidden_size: expected an integer"),
        wrong("\"hidden_size\":2", "\"hidden_size\":-2", "found -2"),
        wrong("\"hidden_size\":2", "\"hidden_size\":1e300", "hidden_size"),
        wrong("\"hidden_size\":2,", "", "hidden_size: expected"),
        wrong("\"num_attention_heads\":1", "\"num_attention_heads\":3", "a divisor of 2"),
        wrong("\"num_hidden_layers\":1", "\"num_hidden_layers\":99999999", "num_hidden_layers"),
        wrong("\"vocab_size\":2", "\"vocab_size\":null", "vocab_size: expected"),
        wrong("1e-5", "\"x\"", "rms_norm_eps: expected a number"),
        wrong("true", "false", "lm_head.weight"),
        wrong("true", "1", "tie_word_embeddings: expected true or false"),
        wrong("true}", "true", "Not a JSON text"),
        wrong("true", "true,\"vocab_size\":3", "config.json"),
        with("\"hidden_act\":\"gelu\"", "hidden_act: expected silu"),
        with("\"mlp_bias\":true", "mlp_bias"),
        with("\"sliding_window\":4096", "sliding_window"),
        with("\"rope_theta\":0", "rope_theta: expected a positive number"),
        with("\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}", "does not change"),
        with("\"rope_scaling\":{\"rope_type\":\"longrope\"}", "linear, yarn or llama3"),
        with("\"rope_scaling\":{\"rope_type\":\"llama3\"}", "rope_scaling.factor"),
        with("\"rope_scaling\":{\"rope_type\":\"linear\"}", "rope_scaling.factor"),
        with("\"rope_scaling\":[1]", "rope_scaling: expected an object"),
        with("\"partial_rotary_factor\":0.5", "partial_rotary_factor"),
        quantized("\"quant_method\":\"gptq\",\"bits\":4", "gptq is not supported"),
        quantized("\"quant_method\":\"awq\"", "awq is not supported"),
        quantized(
            "\"quant_method\":\"bitsandbytes\",\"load_in_4bit\":true", "bitsandbytes (4 bits)"),
        quantized(
            "\"quant_method\":\"compressed-tensors\",\"format\":\"pack-quantized\","
                + "\"config_groups\":{\"group_0\":{\"weights\":{\"type\":\"int\",\"num_bits\":4}}}",
            "int of 4 bits, pack-quantized"),
        quantized("\"quant_method\":\"compressed-tensors\"", "config_groups"),
        quantized("\"bits\":4", "none is not supported"));
  }

  private static Arguments wrong(String original, String replacement, String message) {
    return Arguments.of(CONFIG.replace(original, replacement), message);
  }

  private static Arguments with(String member, String message) {
    return wrong("\"model_type\"", member + ",\"model_type\"", message);
  }

  private static Arguments quantized(String members, String message) {
    return with("\"quantization_config\":{%s}".formatted(members), message);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void refusesWhatItCannotRun(String config, String message) throws IOException {
    add("model.norm.weight", "F32", "[2]", floats(1, 1)).write(config);
    assertRefused(message);
  }

  @Test
  void refusesTensorsOfOtherModels() throws IOException {
    add("model.layers.0.self_attn.q_norm.weight", "F32", "[2]", floats(1, 1)).write(CONFIG);
    assertRefused("q_norm.weight: expected parameters of a llama model");
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> Checkpoint.open(directory).close())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  @Test
  void findsTheLicenceAndTheChatTemplate() throws IOException {
    add("model.norm.weight", "F32", "[2]", floats(1, 1)).write(CONFIG);
    Files.writeString(directory.resolve("README.md"), "---\nlicense: llama3.2\n---\n# x\n");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"chat_template\":\"old\"}");
    assertThat(key("general.license")).isEqualTo("llama3.2");
    assertThat(key("tokenizer.chat_template")).isEqualTo("old");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"chat_template\":[{\"name\":\"default\",\"template\":\"named\"}]}");
    assertThat(key("tokenizer.chat_template")).isEqualTo("named");
    Files.writeString(directory.resolve("chat_template.jinja"), "file");
    assertThat(key("tokenizer.chat_template")).isEqualTo("file");
    Files.writeString(
        directory.resolve("README.md"), "---\nlicense: other\nlicense_name: \"llama4\"\n---\n");
    assertThat(key("general.license")).isEqualTo("llama4");
  }

  private String key(String name) {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      return checkpoint.metadata().requireString(name);
    }
  }

  @ParameterizedTest
  @CsvSource({"32, 1, 4", "8, 1, 4", "16, 1, 1"})
  void scalingKeepsFastComponentsAndStretchesSlowOnes(double factor, double low, double high) {
    float[] factors = new Llama3Scaling(factor, low, high, 8192).factors(128, 500_000);
    assertThat(factors[0]).isEqualTo(1);
    assertThat(factors[63]).isEqualTo((float) factor);
    for (int i = 1; i < 64; i++) {
      assertThat(factors[i]).isGreaterThanOrEqualTo(factors[i - 1]);
      if (low == high) assertThat(factors[i]).isIn(1f, (float) factor);
    }
  }
}
