package org.llamaj.golden;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.tensor.Tensor;
import tools.jackson.databind.json.JsonMapper;

/** Writes a GGUF model of single precision as Meta publishes its models, for some devices. */
public final class MetaForm {
  private static final Map<String, String> MODULES =
      Map.of(
          "attn_q", "attention.wq",
          "attn_k", "attention.wk",
          "attn_v", "attention.wv",
          "attn_output", "attention.wo",
          "attn_norm", "attention_norm",
          "ffn_norm", "ffn_norm",
          "ffn_gate", "feed_forward.w1",
          "ffn_down", "feed_forward.w2",
          "ffn_up", "feed_forward.w3");

  private MetaForm() {}

  /**
   * Writes the model.
   *
   * @param gguf of the architecture llama, with a SentencePiece vocabulary or any other
   * @param directory exists
   * @param files for how many devices
   * @param embeddingByRows as in Llama 3; by columns before
   */
  public static void write(Path gguf, Path directory, int files, boolean embeddingByRows) {
    try (Checkpoint model = Checkpoint.open(gguf)) {
      for (int file = 0; file < files; file++) {
        TorchFile torch = new TorchFile();
        for (Tensor tensor : model.tensors()) add(torch, tensor, file, files, embeddingByRows);
        Files.write(directory.resolve("consolidated.%02d.pth".formatted(file)), torch.bytes());
      }
      Files.writeString(directory.resolve("params.json"), params(model.metadata()));
      Files.write(directory.resolve("tokenizer.model"), vocabulary(model.metadata()));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void add(
      TorchFile torch, Tensor tensor, int file, int files, boolean embeddingByRows) {
    switch (tensor.name()) {
      case "rope_freqs.weight" -> {}
      case "output_norm.weight" -> put(torch, "norm.weight", tensor, 0, 1, true);
      case "output.weight" -> put(torch, "output.weight", tensor, file, files, true);
      case "token_embd.weight" ->
          put(torch, "tok_embeddings.weight", tensor, file, files, embeddingByRows);
      default -> {
        String[] path = tensor.name().split("\\.");
        String name = "layers.%s.%s.weight".formatted(path[1], MODULES.get(path[2]));
        boolean rows = !path[2].equals("attn_output") && !path[2].equals("ffn_down");
        boolean whole = tensor.shape().rank() == 1;
        put(torch, name, tensor, whole ? 0 : file, whole ? 1 : files, rows);
      }
    }
  }

  private static void put(
      TorchFile torch, String name, Tensor tensor, int part, int parts, boolean rows) {
    byte[] all = tensor.data().toArray(ValueLayout.JAVA_BYTE);
    if (tensor.shape().rank() == 1) {
      torch.add(name, "FloatStorage", new long[] {tensor.columns()}, all);
      return;
    }
    int height = (int) tensor.rows() / (rows ? parts : 1);
    int width = (int) tensor.columns() / (rows ? 1 : parts);
    int firstRow = rows ? part * height : 0;
    int firstColumn = rows ? 0 : part * width;
    ByteBuffer data = ByteBuffer.allocate(4 * height * width);
    for (int row = 0; row < height; row++) {
      int at = 4 * ((firstRow + row) * (int) tensor.columns() + firstColumn);
      data.put(all, at, 4 * width);
    }
    torch.add(name, "FloatStorage", new long[] {height, width}, data.array());
  }

  private static String params(Metadata metadata) {
    Map<String, Object> params = new LinkedHashMap<>();
    params.put("dim", metadata.requireInt("llama.embedding_length", 1, 1 << 20));
    params.put("n_layers", metadata.requireInt("llama.block_count", 1, 1 << 20));
    params.put("n_heads", metadata.requireInt("llama.attention.head_count", 1, 1 << 20));
    params.put("n_kv_heads", metadata.requireInt("llama.attention.head_count_kv", 1, 1 << 20));
    params.put("norm_eps", metadata.requireNumber("llama.attention.layer_norm_rms_epsilon"));
    params.put("rope_theta", metadata.numberOr("llama.rope.freq_base", 10_000));
    params.put("use_scaled_rope", metadata.numberOr("llama.rope.freq_base", 10_000) == 500_000);
    params.put("vocab_size", -1);
    return new JsonMapper().writeValueAsString(params);
  }

  /** A SentencePiece file with these pieces, in the protocol buffers' encoding. */
  public static byte[] vocabulary(Metadata metadata) {
    byte[][] tokens = metadata.strings("tokenizer.ggml.tokens").orElseThrow().toArray();
    int[] types = metadata.integers("tokenizer.ggml.token_type").orElseThrow();
    float[] scores = metadata.floats("tokenizer.ggml.scores").orElse(new float[tokens.length]);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    List<byte[]> pieces = new ArrayList<>();
    for (int id = 0; id < tokens.length; id++) {
      ByteArrayOutputStream piece = new ByteArrayOutputStream();
      field(piece, 1, tokens[id]);
      piece.write(2 << 3 | 5);
      piece.writeBytes(
          ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(scores[id]).array());
      piece.write(3 << 3);
      piece.write(types[id]);
      pieces.add(piece.toByteArray());
    }
    pieces.forEach(piece -> field(file, 1, piece));
    ByteArrayOutputStream trainer = new ByteArrayOutputStream();
    trainer.writeBytes(new byte[] {3 << 3, 2}); // model_type: BPE
    field(file, 2, trainer.toByteArray());
    field(file, 3, new byte[] {4 << 3, 0}); // normalizer: extra spaces stay
    return file.toByteArray();
  }

  private static void field(ByteArrayOutputStream out, int number, byte[] bytes) {
    out.write(number << 3 | 2);
    for (int rest = bytes.length; ; rest >>>= 7) {
      if (rest < 128) {
        out.write(rest);
        break;
      }
      out.write(rest & 127 | 128);
    }
    out.writeBytes(bytes);
  }
}
