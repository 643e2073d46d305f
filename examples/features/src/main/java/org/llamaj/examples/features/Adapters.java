package org.llamaj.examples.features;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.llamaj.Adapter;
import org.llamaj.GenerationRequest;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** LoRA adapters: one model, and what others have trained it to, request by request. */
public final class Adapters {
  private Adapters() {}

  /**
   * Begins a story without an adapter, with it, and with a part of it.
   *
   * @param args none
   * @throws IOException if the adapter cannot be written
   */
  public static void main(String[] args) throws IOException {
    Path folder = Files.createTempDirectory("adapter-");
    writeAdapter(folder);
    try (LlamaModel model = DemoModel.builder().kernels("scalar").load();
        Adapter adapter = model.adapter(folder)) {
      GenerationRequest story = model.prompt("Once there was a").temperature(0).maxTokens(12);
      System.out.println("without:" + story.generate().text());
      System.out.println("with it:" + story.adapter(adapter).generate().text());
      System.out.println("a half: " + story.adapter(adapter, 0.5f).generate().text());
    } finally {
      Files.delete(folder.resolve("adapter_config.json"));
      Files.delete(folder.resolve("adapter_model.safetensors"));
      Files.delete(folder);
    }
  }

  /** An adapter as PEFT writes it, with random numbers, for the last layer's way out. */
  private static void writeAdapter(Path folder) throws IOException {
    int rank = 2;
    int hidden = 512;
    int width = 256;
    Files.writeString(
        folder.resolve("adapter_config.json"),
        """
        {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["down_proj"]}
        """);
    String weight = "base_model.model.model.layers.4.mlp.down_proj.lora_";
    int split = rank * hidden * 4;
    int end = split + width * rank * 4;
    byte[] header =
        """
        {"%1$sA.weight": {"dtype": "F32", "shape": [2, 512], "data_offsets": [0, %2$d]},
         "%1$sB.weight": {"dtype": "F32", "shape": [256, 2], "data_offsets": [%2$d, %3$d]}}"""
            .formatted(weight, split, end)
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + end).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header);
    Random random = new Random(3);
    while (file.hasRemaining()) {
      file.putFloat((float) random.nextGaussian() * 0.3f);
    }
    Files.write(folder.resolve("adapter_model.safetensors"), file.array());
  }
}
