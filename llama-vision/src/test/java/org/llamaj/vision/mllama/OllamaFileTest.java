package org.llamaj.vision.mllama;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.ModelInput;
import org.llamaj.Picture;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.WeightSource;
import org.llamaj.vision.golden.GoldenVision;

/**
 * The encoder in a file as Ollama's converter writes it (convert_mllama.go): other keys, gates
 * through tanh, rows of queries and keys in another order.
 */
class OllamaFileTest {
  private static final Path MODEL = GoldenVision.root().resolve("mllama-tiny/a/hf");
  private static final int HEADS = 4;
  private static final int LAYERS = 5;
  private static final int GLOBAL_LAYERS = 2;
  private static final Map<String, Integer> VISION =
      Map.of(
          "image_size", 56,
          "patch_size", 14,
          "max_num_tiles", 4,
          "embedding_length", 64,
          "feed_forward_length", 256,
          "attention.head_count", HEADS,
          "block_count", LAYERS,
          "global.block_count", GLOBAL_LAYERS);

  @ParameterizedTest(name = "ffn_up and ffn_down swapped: {0}")
  @ValueSource(booleans = {false, true})
  void seesTheSame(boolean swapped, @TempDir Path folder) {
    Path file = folder.resolve("projector.gguf");
    try (Checkpoint checkpoint = Checkpoint.open(MODEL)) {
      write(file, checkpoint::find, swapped);
    }
    GoldenVision golden =
        GoldenVision.all("mllama-tiny/a/expected").stream()
            .filter(c -> c.toString().equals("image-two"))
            .findFirst()
            .orElseThrow();
    try (LlamaModel model =
        LlamaModel.builder(MODEL).mmproj(file).cacheType(CacheType.F32).load()) {
      List<Picture> pictures = golden.images().stream().map(Picture::of).toList();
      ModelInput input = model.input(golden.ints("input_ids"), pictures);
      input.encode(() -> false);
      int vocabulary = model.transformer().configuration().vocabularySize();
      float[] logits = new float[input.length() * vocabulary];
      Batch batch = model.transformer().newBatch();
      try (Sequence sequence = model.transformer().newSequence()) {
        for (int i = 0; i < input.length(); i++) {
          input.add(batch, sequence, i);
          batch.wantLogits();
        }
        model.transformer().forward(batch);
        for (int i = 0; i < input.length(); i++) {
          System.arraycopy(batch.logits(i), 0, logits, i * vocabulary, vocabulary);
        }
      }
      GoldenVision.assertClose(logits, golden.floats("logits"), 2e-4, "logits");
    }
  }

  private record Content(TensorDescription description, MemorySegment data) {}

  private static void write(Path file, WeightSource source, boolean swapped) {
    List<Content> contents = new ArrayList<>();
    for (String name : names()) {
      contents.add(content(name, source, swapped));
    }
    List<TensorDescription> all = contents.stream().map(Content::description).toList();
    try (GgufWriter writer = GgufWriter.create(file, metadata(), all)) {
      contents.forEach(content -> writer.write(content.data()));
      writer.finish();
    }
  }

  private static Content content(String name, WeightSource source, boolean swapped) {
    if (name.endsWith("gate")) {
      boolean positions = name.equals("v.position_embd.gate");
      String original = name.equals("v.tile_position_embd.gate") ? "v.position_embd.gate" : name;
      double gate = Math.tanh(scalar(source.find(original).orElseThrow()));
      MemorySegment value = MemorySegment.ofArray(new byte[Float.BYTES]);
      value.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 0, (float) (positions ? 1 - gate : gate));
      return new Content(new TensorDescription(name, ElementType.F32, Shape.of(1)), value);
    }
    Tensor tensor = source.find(name).orElseThrow();
    MemorySegment data = MemorySegment.ofArray(new byte[(int) tensor.data().byteSize()]);
    data.copyFrom(tensor.data());
    if (name.endsWith("attn_q.weight") || name.endsWith("attn_k.weight")) {
      data = pairsSideBySide(data, (int) tensor.rows());
    }
    String written = name;
    if (swapped) {
      written =
          name.contains("ffn_up")
              ? name.replace("ffn_up", "ffn_down")
              : name.replace("ffn_down", "ffn_up");
    }
    return new Content(new TensorDescription(written, tensor.type(), tensor.shape()), data);
  }

  /** Each head's rows 0, 1, ... and half, half + 1, ... as 0, half, 1, half + 1, ... */
  private static MemorySegment pairsSideBySide(MemorySegment data, int rows) {
    MemorySegment result = MemorySegment.ofArray(new byte[(int) data.byteSize()]);
    long rowBytes = data.byteSize() / rows;
    int headDim = rows / HEADS;
    for (int row = 0; row < rows; row++) {
      int inHead = row % headDim;
      int from = row - inHead + inHead % 2 * headDim / 2 + inHead / 2;
      MemorySegment.copy(data, from * rowBytes, result, row * rowBytes, rowBytes);
    }
    return result;
  }

  private static float scalar(Tensor tensor) {
    return tensor.type() == ElementType.BF16
        ? Float.intBitsToFloat(tensor.data().get(ValueLayout.JAVA_SHORT_UNALIGNED, 0) << 16)
        : tensor.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
  }

  private static List<String> names() {
    List<String> names =
        new ArrayList<>(List.of("v.patch_embd.weight", "v.class_embd", "mm.0.weight", "mm.0.bias"));
    for (String table : List.of("position", "tile_position", "pre_tile_position")) {
      names.add("v." + table + "_embd.weight");
      names.add("v." + table + "_embd.gate");
    }
    names.add("v.post_tile_position_embd.weight");
    names.add("v.post_tile_position_embd.gate");
    addNorm(names, "v.pre_ln");
    addNorm(names, "v.post_ln");
    for (int layer = 0; layer < LAYERS + GLOBAL_LAYERS; layer++) {
      boolean global = layer >= LAYERS;
      String block = global ? "v.global.blk." + (layer - LAYERS) + "." : "v.blk." + layer + ".";
      addNorm(names, block + "ln1");
      addNorm(names, block + "ln2");
      for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down")) {
        names.add(block + name + ".weight");
      }
      names.add(block + "ffn_up.bias");
      names.add(block + "ffn_down.bias");
      if (global) {
        names.add(block + "attn_gate");
        names.add(block + "ffn_gate");
      }
    }
    return names;
  }

  private static void addNorm(List<String> names, String norm) {
    names.add(norm + ".weight");
    names.add(norm + ".bias");
  }

  private static SequencedMap<String, MetadataValue> metadata() {
    SequencedMap<String, MetadataValue> all = new LinkedHashMap<>();
    String v = "mllama.vision.";
    all.put("general.architecture", MetadataValue.Text.of("mllama"));
    VISION.forEach((key, value) -> all.put(v + key, whole(value)));
    all.put(v + "intermediate_layers_indices", MetadataValue.Sequence.ofInts(1, 3, 4));
    all.put(
        v + "attention.layer_norm_epsilon", new MetadataValue.Real(MetadataType.FLOAT32, 1e-5f));
    return all;
  }

  private static MetadataValue whole(int value) {
    return new MetadataValue.Whole(MetadataType.UINT32, value);
  }
}
