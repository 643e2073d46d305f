package org.llamaj.golden;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import tools.jackson.databind.json.JsonMapper;

/**
 * A random LoRA adapter for a GGUF model of single precision: written as GGUF, as PEFT would write
 * it for the same model on Hugging Face, and added to the weights.
 */
public final class AdapterForm {
  private static final Map<String, String> MODULES =
      Map.of(
          "attn_q", "self_attn.q_proj",
          "attn_k", "self_attn.k_proj",
          "attn_v", "self_attn.v_proj",
          "attn_output", "self_attn.o_proj",
          "ffn_gate", "mlp.gate_proj",
          "ffn_up", "mlp.up_proj",
          "ffn_down", "mlp.down_proj");

  /**
   * The change of a weight: scaling B A.
   *
   * @param tensor the weight, [outputs, inputs]
   * @param rank r
   * @param scaling s
   * @param down A, rank rows of inputs
   * @param up B, outputs rows of rank, in GGUF's order
   */
  private record Update(Tensor tensor, int rank, double scaling, float[] down, float[] up) {
    int inputs() {
      return (int) tensor.columns();
    }

    int outputs() {
      return (int) tensor.rows();
    }
  }

  /** By the layer's and the projection's name in GGUF. */
  public interface Choice {
    /** The rank, or 0 for none. */
    int rank(int layer, String projection);

    /** The scaling. */
    double scaling(int layer, String projection);

    /** All projections with one rank, alpha / rank = 2. */
    static Choice all(int rank) {
      return new Choice() {
        @Override
        public int rank(int layer, String projection) {
          return rank;
        }

        @Override
        public double scaling(int layer, String projection) {
          return 2;
        }
      };
    }
  }

  private final Checkpoint model;
  private final boolean llama4;
  private final int headDim;
  private final Map<String, Update> updates = new LinkedHashMap<>();

  private AdapterForm(Checkpoint model) {
    this.model = model;
    String architecture = model.metadata().requireString("general.architecture");
    llama4 = architecture.equals("llama4");
    int dim = model.metadata().requireInt(architecture + ".embedding_length", 1, 1 << 20);
    int heads = model.metadata().requireInt(architecture + ".attention.head_count", 1, 1 << 20);
    headDim =
        model
            .metadata()
            .intOr(architecture + ".attention.key_length", dim / heads, 1, Integer.MAX_VALUE);
  }

  /**
   * A random adapter.
   *
   * @param model unquantised, in GGUF; open as long as this is used
   * @param choice which projections have which rank
   * @return the adapter
   */
  public static AdapterForm random(Checkpoint model, Choice choice) {
    AdapterForm form = new AdapterForm(model);
    Random random = new Random(5);
    for (Tensor tensor : model.tensors()) {
      String[] path = tensor.name().split("\\.");
      if (path.length < 4 || !MODULES.containsKey(path[2]) || tensor.shape().rank() != 2) continue;
      if (form.llama4 && !path[2].startsWith("attn")) continue;
      int layer = Integer.parseInt(path[1]);
      int rank = choice.rank(layer, path[2]);
      if (rank == 0) continue;
      form.updates.put(
          tensor.name(),
          new Update(
              tensor,
              rank,
              choice.scaling(layer, path[2]),
              random(random, rank * (int) tensor.columns(), 0.1),
              random(random, rank * (int) tensor.rows(), 0.1)));
    }
    return form;
  }

  private static float[] random(Random random, int count, double deviation) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) values[i] = (float) (deviation * random.nextGaussian());
    return values;
  }

  /** Writes the adapter as llama.cpp's converter does; all scalings are alpha / rank. */
  public void writeGguf(Path file, double alpha) {
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    metadata.put("general.type", MetadataValue.Text.of("adapter"));
    metadata.put("adapter.type", MetadataValue.Text.of("lora"));
    metadata.put("general.architecture", model.metadata().values().get("general.architecture"));
    metadata.put("adapter.lora.alpha", new MetadataValue.Real(MetadataType.FLOAT32, (float) alpha));
    List<TensorDescription> tensors = new ArrayList<>();
    List<float[]> data = new ArrayList<>();
    updates.forEach(
        (name, update) -> {
          int rank = update.rank;
          tensors.add(description(name + ".lora_a", rank, update.inputs()));
          data.add(update.down);
          tensors.add(description(name + ".lora_b", update.outputs(), rank));
          data.add(update.up);
        });
    write(file, metadata, tensors, data);
  }

  private static TensorDescription description(String name, long... shape) {
    return new TensorDescription(name, ElementType.F32, Shape.of(shape));
  }

  private static void write(
      Path file,
      SequencedMap<String, MetadataValue> metadata,
      List<TensorDescription> tensors,
      List<float[]> data) {
    try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
      data.forEach(values -> writer.write(MemorySegment.ofArray(bytes(values))));
      writer.finish();
    }
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  /**
   * Writes the model with the adapter added to its weights.
   *
   * @param scale of the adapter
   */
  public void writeMerged(Path file, double scale) {
    List<TensorDescription> tensors = new ArrayList<>();
    List<float[]> data = new ArrayList<>();
    for (Tensor tensor : model.tensors()) {
      tensors.add(new TensorDescription(tensor.name(), tensor.type(), tensor.shape()));
      float[] values = tensor.toFloats();
      Update update = updates.get(tensor.name());
      if (update != null) add(update, scale, values);
      data.add(values);
    }
    write(file, model.metadata().values(), tensors, data);
  }

  private static void add(Update update, double scale, float[] values) {
    int rank = update.rank;
    for (int out = 0; out < update.outputs(); out++) {
      for (int in = 0; in < update.inputs(); in++) {
        double sum = 0;
        for (int k = 0; k < rank; k++) {
          sum += (double) update.up[out * rank + k] * update.down[k * update.inputs() + in];
        }
        values[out * update.inputs() + in] += (float) (scale * update.scaling * sum);
      }
    }
  }

  /**
   * Writes the adapter as PEFT does.
   *
   * @param directory exists
   * @param config of adapter_config.json, beside the usual
   */
  public void writePeft(Path directory, Map<String, ?> config) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    List<byte[]> data = new ArrayList<>();
    int[] offset = new int[1];
    updates.forEach(
        (name, update) -> {
          String[] path = name.split("\\.");
          String module = MODULES.get(path[2]);
          String prefix = "base_model.model.model.layers." + path[1] + "." + module + ".lora_";
          boolean turned = path[2].equals("attn_q") || path[2].equals("attn_k");
          float[] up = turned && !llama4 ? halves(update) : update.up;
          put(header, data, offset, prefix + "A.weight", update.down, update.rank);
          put(header, data, offset, prefix + "B.weight", up, update.outputs());
        });
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("peft_type", "LORA");
    settings.put("task_type", "CAUSAL_LM");
    settings.put("base_model_name_or_path", "somewhere/else");
    settings.put("bias", "none");
    settings.put("use_dora", false);
    settings.put("modules_to_save", null);
    settings.put("fan_in_fan_out", false);
    settings.put("init_lora_weights", true);
    settings.put(
        "target_modules",
        List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"));
    settings.putAll(config);
    JsonMapper json = new JsonMapper();
    Files.writeString(directory.resolve("adapter_config.json"), json.writeValueAsString(settings));
    byte[] text = json.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + text.length + offset[0]).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text);
    data.forEach(file::put);
    Files.write(directory.resolve("adapter_model.safetensors"), file.array());
  }

  private static void put(
      Map<String, Object> header,
      List<byte[]> data,
      int[] offset,
      String name,
      float[] values,
      int rows) {
    int end = offset[0] + 4 * values.length;
    header.put(
        name,
        Map.of(
            "dtype",
            "F32",
            "shape",
            List.of(rows, values.length / rows),
            "data_offsets",
            List.of(offset[0], end)));
    data.add(bytes(values));
    offset[0] = end;
  }

  /** Rows of each head: 0, 2, 4, ... and then 1, 3, 5, ... */
  private float[] halves(Update update) {
    float[] turned = new float[update.up.length];
    int next = 0;
    for (int head = 0; head < update.outputs() / headDim; head++) {
      for (int first = 0; first < 2; first++) {
        for (int row = first; row < headDim; row += 2) {
          int from = (head * headDim + row) * update.rank;
          System.arraycopy(update.up, from, turned, next, update.rank);
          next += update.rank;
        }
      }
    }
    return turned;
  }
}
