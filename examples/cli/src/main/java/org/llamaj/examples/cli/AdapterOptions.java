package org.llamaj.examples.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.Adapter;
import org.llamaj.ChatBuilder;
import org.llamaj.GenerationRequest;
import org.llamaj.LlamaModel;
import org.llamaj.transformer.AdapterUse;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** LoRA adapters, for all commands that run a model. */
final class AdapterOptions {
  @Option(
      names = "--lora",
      paramLabel = "FILE[=SCALE]",
      converter = Converter.class,
      description =
          "A LoRA adapter for the model, GGUF or a directory as PEFT writes it, by default as strong"
              + " as it was trained. May be repeated.")
  private List<ScaledFile> files = List.of();

  /** An adapter's file and how much it counts. */
  record ScaledFile(Path file, float scale) {}

  /** Loads them; they are closed with the model. */
  Loaded load(LlamaModel model) {
    Map<Adapter, Float> adapters = new LinkedHashMap<>();
    for (ScaledFile file : files) {
      adapters.put(model.adapter(file.file), file.scale);
    }
    return new Loaded(adapters);
  }

  /**
   * Adapters of a model.
   *
   * @param scales by adapter
   */
  record Loaded(Map<Adapter, Float> scales) {
    GenerationRequest addTo(GenerationRequest request) {
      GenerationRequest adapted = request;
      for (Map.Entry<Adapter, Float> use : scales.entrySet()) {
        adapted = adapted.adapter(use.getKey(), use.getValue());
      }
      return adapted;
    }

    ChatBuilder addTo(ChatBuilder chat) {
      ChatBuilder adapted = chat;
      for (Map.Entry<Adapter, Float> use : scales.entrySet()) {
        adapted = adapted.adapter(use.getKey(), use.getValue());
      }
      return adapted;
    }

    List<AdapterUse> uses() {
      return scales.entrySet().stream()
          .map(use -> new AdapterUse(use.getKey().lowRank(), use.getValue()))
          .toList();
    }
  }

  /** A name may hold the sign too: it counts as one only before a number. */
  static final class Converter implements ITypeConverter<ScaledFile> {
    @Override
    public ScaledFile convert(String text) {
      int sign = text.lastIndexOf('=');
      if (sign < 0 || Files.exists(Path.of(text))) {
        return new ScaledFile(Path.of(text), 1);
      }
      try {
        float scale = Float.parseFloat(text.substring(sign + 1));
        if (Float.isFinite(scale)) {
          return new ScaledFile(Path.of(text.substring(0, sign)), scale);
        }
      } catch (NumberFormatException e) {
        // told below
      }
      throw new TypeConversionException(
          "expected FILE or FILE=SCALE with a number as scale, found '%s'".formatted(text));
    }
  }
}
