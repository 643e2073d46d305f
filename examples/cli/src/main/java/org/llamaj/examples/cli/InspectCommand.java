package org.llamaj.examples.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.MemoryPlan;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.TensorDescription;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows what is in a model file, whether or not it is one that can run. */
@Command(name = "inspect", description = "Shows what is in a model file, and what it needs to run.")
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions modelOptions;

  @Option(
      names = "--key",
      paramLabel = "KEY",
      description = "Print the whole value of this metadata key, and nothing else.")
  private String key;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    try (Checkpoint checkpoint = modelOptions.openFile()) {
      if (key != null) {
        out.println(wholeValue(checkpoint.metadata()));
        return 0;
      }
      printMetadata(checkpoint.metadata(), out);
      out.println();
      printTensors(checkpoint, out);
      out.println();
    }
    printNeeds(out);
    return 0;
  }

  private String wholeValue(Metadata metadata) {
    return switch (metadata.values().get(key)) {
      case null ->
          throw new LlamaException("%s: no metadata key '%s'".formatted(metadata.source(), key));
      case MetadataValue.Text text -> text.value();
      case MetadataValue.Sequence sequence ->
          Stream.of(sequence.first(Integer.MAX_VALUE))
              .map(InspectCommand::element)
              .collect(Collectors.joining(System.lineSeparator()));
      case MetadataValue value -> value.toString();
    };
  }

  private static String element(MetadataValue value) {
    return value instanceof MetadataValue.Text text
        ? Escapes.quote(text.value())
        : value.toString();
  }

  private static void printMetadata(Metadata metadata, PrintWriter out) {
    out.printf("%s: %d metadata keys%n", metadata.source(), metadata.values().size());
    metadata
        .values()
        .forEach(
            (name, value) ->
                out.printf(
                    "  %-42s %-14s %s%n", name, typeOf(value), Escapes.show(value.toString())));
  }

  private static String typeOf(MetadataValue value) {
    return switch (value) {
      case MetadataValue.Sequence sequence ->
          "%s[%d]".formatted(lower(sequence.elementType()), sequence.size());
      default -> lower(value.type());
    };
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static void printTensors(Checkpoint checkpoint, PrintWriter out) {
    out.printf("%s: %d tensors%n", checkpoint.source(), checkpoint.descriptions().size());
    for (TensorDescription tensor : checkpoint.descriptions()) {
      out.printf(
          "  %-42s %-8s %-20s %12s%n",
          tensor.name(), tensor.type(), tensor.shape(), ByteSize.of(tensor.bytes()));
    }
  }

  private void printNeeds(PrintWriter out) {
    try {
      MemoryPlan plan = modelOptions.plan();
      try (LlamaModel model = modelOptions.load()) {
        out.print(model.describe());
        out.printf(
            "memory    %s of weights, %s of cache for %d tokens, %s of activations%n",
            ByteSize.of(plan.weights()),
            ByteSize.of(plan.cache()),
            model.transformer().contextLength(),
            ByteSize.of(plan.scratch()));
      }
    } catch (LlamaException e) {
      out.println("cannot run: " + e.getMessage());
    }
  }
}
