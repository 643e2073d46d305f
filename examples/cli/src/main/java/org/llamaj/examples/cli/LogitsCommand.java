package org.llamaj.examples.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.ModelInput;
import org.llamaj.transformer.AdapterUse;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes logits, for comparison with other engines. */
@Command(
    name = "logits",
    description = "Writes the logits after each token to a file.",
    footer = {
      "",
      "The file holds little-endian 32-bit floating-point numbers, one row of the size of the",
      "vocabulary for each position. The ids hold the placeholders of the pictures."
    })
final class LogitsCommand implements Callable<Integer> {
  /** Rows of logits computed by a forward pass, to bound memory. */
  private static final int ROWS = 32;

  @Spec private CommandSpec spec;
  @Mixin private ModelOptions modelOptions;
  @Mixin private PictureArguments pictureArguments;
  @Mixin private AdapterOptions adapterOptions;

  @ArgGroup(multiplicity = "1")
  private Source source;

  private static final class Source {
    @Option(names = "--tokens", paramLabel = "IDS", description = "Token ids, separated by commas.")
    private String tokens;

    @Option(
        names = "--tokens-file",
        paramLabel = "FILE",
        description = "A file of token ids, separated by commas or space, or a JSON array.")
    private Path file;

    int[] ids() throws IOException {
      return tokens != null
          ? TokenIds.parse(tokens, "--tokens")
          : TokenIds.parse(TextFiles.read(file), file.toString());
    }
  }

  @Option(
      names = "--last",
      paramLabel = "N",
      description = "Write the rows of the last N positions only.")
  private Integer last;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
  private Path out;

  @Override
  public Integer call() throws IOException {
    int[] ids = source.ids();
    if (last != null && (last < 1 || last > ids.length)) {
      throw new LlamaException(
          "--last: expected 1 to %d, the number of tokens, found %d".formatted(ids.length, last));
    }
    int first = last == null ? 0 : ids.length - last;
    try (LlamaModel model = modelOptions.loadExact(pictureArguments.mmproj())) {
      Transformer transformer = model.transformer();
      check(ids, transformer);
      ModelInput input = model.input(ids, pictureArguments.pictures());
      if (input.length() != ids.length) {
        throw new LlamaException(
            "expected the places of the pictures among the tokens, which would be %d then, found %d tokens"
                .formatted(input.length(), ids.length));
      }
      input.encode(() -> false);
      try (FileChannel channel = FileChannel.open(out, CREATE, WRITE, TRUNCATE_EXISTING)) {
        write(transformer, adapterOptions.load(model).uses(), input, first, channel);
      } catch (IOException e) {
        throw new LlamaException("%s: cannot be written: %s".formatted(out, e.getMessage()), e);
      }
      int vocabulary = transformer.configuration().vocabularySize();
      spec.commandLine()
          .getErr()
          .printf("%s: %d rows of %d%n", out, ids.length - first, vocabulary);
    }
    return 0;
  }

  /** Refuses what cannot be computed to the end, before the file is touched. */
  private static void check(int[] ids, Transformer transformer) {
    int known = transformer.configuration().embeddingRows();
    for (int id : ids) {
      if (id >= known) {
        throw new LlamaException(
            "expected token ids from 0 to %d, found %d".formatted(known - 1, id));
      }
    }
    if (ids.length > transformer.contextLength()) {
      throw new LlamaException(
          "expected at most %d tokens, the context length, found %d; --context changes it"
              .formatted(transformer.contextLength(), ids.length));
    }
  }

  private static void write(
      Transformer transformer,
      List<AdapterUse> adapters,
      ModelInput input,
      int first,
      FileChannel channel)
      throws IOException {
    int vocabulary = transformer.configuration().vocabularySize();
    ByteBuffer row = ByteBuffer.allocate(4 * vocabulary).order(ByteOrder.LITTLE_ENDIAN);
    Batch batch = transformer.newBatch();
    try (Sequence sequence = transformer.newSequence(adapters)) {
      for (int from = 0; from < input.length(); ) {
        boolean wanted = from >= first;
        int step = wanted ? Math.min(ROWS, batch.capacity()) : batch.capacity();
        int to = Math.min(wanted ? input.length() : first, from + step);
        batch.clear();
        for (int i = from; i < to; i++) {
          input.add(batch, sequence, i);
          if (wanted) {
            batch.wantLogits();
          }
        }
        transformer.forward(batch);
        for (int i = 0; wanted && i < to - from; i++) {
          row.clear();
          row.asFloatBuffer().put(batch.logits(i));
          while (row.hasRemaining()) {
            channel.write(row);
          }
        }
        from = to;
      }
    }
  }
}
