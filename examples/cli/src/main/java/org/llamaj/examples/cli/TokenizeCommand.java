package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Turns text into token ids. */
@Command(
    name = "tokenize",
    description = "Turns text into token ids.",
    footer = {"", "Without TEXT and --file the text is read from standard input."})
final class TokenizeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @ArgGroup private Source source = new Source();

  private static final class Source {
    @Option(
        names = {"-m", "--model"},
        paramLabel = "FILE",
        description =
            "A GGUF file; a vocabulary without tensors will do. Without it, the demo model.")
    private String model;

    @Option(
        names = "--tokenizer",
        paramLabel = "FILE",
        description = "A tokenizer.model (SentencePiece or tiktoken) or tokenizer.json.")
    private Path tokenizer;
  }

  @Option(names = "--special", description = "Names of special tokens count as these tokens.")
  private boolean special;

  @Option(
      names = "--bos",
      description = "Add the tokens that the model expects around its input, as its file says.")
  private boolean bos;

  @Option(names = "--show", description = "Print a table of ids and their texts.")
  private boolean show;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "A file that holds the text.")
  private Path file;

  @Parameters(paramLabel = "TEXT", arity = "0..1", description = "The text.")
  private String text;

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = tokenizer();
    SpecialTokens allowed = special ? SpecialTokens.all() : SpecialTokens.none();
    String input = input();
    int[] ids = bos ? tokenizer.encodePrompt(input, allowed) : tokenizer.encode(input, allowed);
    PrintWriter out = spec.commandLine().getOut();
    if (show) {
      IntStream.of(ids)
          .forEach(id -> out.printf("%8d  %s%n", id, Escapes.quote(tokenizer.text(id))));
    } else {
      out.println(Arrays.toString(ids));
    }
    return 0;
  }

  private String input() throws IOException {
    if (file != null) {
      return TextFiles.read(file);
    }
    return text != null ? text : TextFiles.decode(System.in.readAllBytes(), "standard input");
  }

  private Tokenizer tokenizer() {
    if (source.tokenizer != null) {
      return Tokenizer.load(source.tokenizer);
    }
    try (Checkpoint checkpoint = ModelFile.open(Optional.ofNullable(source.model))) {
      return checkpoint.tokenizer();
    }
  }
}
