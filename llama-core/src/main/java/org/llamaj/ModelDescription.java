package org.llamaj;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.loading.LoadedModel;
import org.llamaj.tensor.ElementType;
import org.llamaj.transformer.Configuration;

/** Tells in words what a model is and how it runs. */
final class ModelDescription {
  private ModelDescription() {}

  static String of(LoadedModel model) {
    Checkpoint checkpoint = model.checkpoint();
    Configuration c = model.transformer().configuration();
    StringBuilder text = new StringBuilder();
    line(
        text,
        "model",
        "%s (%s), %s"
            .formatted(
                checkpoint.metadata().string("general.name").orElse(checkpoint.source()),
                c.architecture(),
                parameters(checkpoint)));
    line(
        text,
        "shape",
        "%d layers, width %d, %d query and %d key/value heads of %d, feed-forward %d, vocabulary %d"
            .formatted(
                c.layers(),
                c.dim(),
                c.heads(),
                c.kvHeads(),
                c.headDim(),
                c.feedForwardDim(),
                c.vocabularySize()));
    model.experts().ifPresent(experts -> line(text, "experts", experts.description()));
    model.media().ifPresent(media -> line(text, "pictures", media.encoder().description()));
    line(
        text,
        "weights",
        "%s, %d MiB, %s"
            .formatted(
                types(checkpoint.descriptions()),
                checkpoint.totalBytes() >> 20,
                model.quantised().isPresent() ? "mapped" : residency(model.residency())));
    model.quantised().ifPresent(type -> line(text, "", quantised(model, type)));
    for (String derived : derived(model)) {
      line(text, "", derived);
    }
    line(
        text,
        "context",
        "%d tokens, trained for %d"
            .formatted(model.transformer().contextLength(), c.contextLength()));
    line(
        text,
        "kernels",
        "%s, %s".formatted(model.kernels().description(), threads(model.workers().threads())));
    for (String passedOver : model.selection().passedOver()) {
      line(text, "not used", passedOver);
    }
    return text.toString();
  }

  private static String threads(int count) {
    return count == 1 ? "1 thread" : count + " threads";
  }

  private static String quantised(LoadedModel model, FileType type) {
    Map<String, ElementType> before = new HashMap<>();
    model.checkpoint().descriptions().forEach(tensor -> before.put(tensor.name(), tensor.type()));
    List<TensorDescription> made =
        model.weights().stream().filter(t -> t.type() != before.get(t.name())).toList();
    return "quantised at load as in a file of %s: %s, %d MiB of private memory%s"
        .formatted(
            type,
            made.isEmpty() ? "nothing" : types(made),
            made.stream().mapToLong(TensorDescription::bytes).sum() >> 20,
            model.residency() == Residency.HUGE_PAGES ? " in huge pages" : "");
  }

  private static String residency(Residency residency) {
    return switch (residency) {
      case MAPPED -> "mapped: shared with the system's page cache";
      case HUGE_PAGES -> "copied into huge pages: private memory of that size";
    };
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append("%-9s %s%n".formatted(name, value));
  }

  private static String parameters(Checkpoint checkpoint) {
    long count = checkpoint.parameters();
    return count >= 1_000_000_000
        ? String.format(Locale.ROOT, "%.2f billion parameters", count / 1e9)
        : String.format(Locale.ROOT, "%.1f million parameters", count / 1e6);
  }

  /** What had to be made in memory, by how. */
  private static List<String> derived(LoadedModel model) {
    if (model.quantised().isPresent()) return List.of();
    Map<String, Long> bytes = new TreeMap<>();
    for (DerivedTensor derived : model.derived()) {
      bytes.merge(derived.how(), derived.description().bytes(), Long::sum);
    }
    return bytes.entrySet().stream()
        .map(
            entry ->
                "%d MiB of it made at load, in private memory: %s; converted to GGUF, it would be mapped"
                    .formatted(entry.getValue() >> 20, entry.getKey()))
        .toList();
  }

  /** The element types by their share of the bytes, the largest first. */
  private static String types(List<TensorDescription> tensors) {
    Map<String, Long> bytes = new TreeMap<>();
    for (TensorDescription tensor : tensors) {
      bytes.merge(tensor.type().name(), tensor.bytes(), Long::sum);
    }
    List<String> names =
        bytes.entrySet().stream()
            .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
            .map(Map.Entry::getKey)
            .toList();
    return names.stream().collect(Collectors.joining(", "));
  }
}
