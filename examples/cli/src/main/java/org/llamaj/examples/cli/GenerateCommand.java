package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.llamaj.Generation;
import org.llamaj.GenerationOptions;
import org.llamaj.GenerationRequest;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.Picture;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Continues one prompt, or each prompt of a file. */
@Command(
    name = "generate",
    description = "Continues a text.",
    footer = {
      "",
      "The text goes to standard output, what it took to standard error.",
      "Names of special tokens in a prompt count as these tokens; pictures stand where <|image|> is,",
      "or at the beginning."
    })
final class GenerateCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;
  @Mixin private ModelOptions modelOptions;
  @Mixin private PictureArguments pictureArguments;
  @Mixin private AdapterOptions adapterOptions;
  @Mixin private GenerationArguments generationArguments;

  @ArgGroup(multiplicity = "1")
  private Source source;

  private static final class Source {
    @Parameters(paramLabel = "PROMPT", description = "The text to continue.")
    private String prompt;

    @Option(
        names = {"-f", "--file"},
        paramLabel = "FILE",
        description = "A file that holds the text to continue.")
    private Path file;

    @Option(
        names = "--prompts",
        paramLabel = "FILE",
        description =
            "A file with one JSON object per line, its prompt in the field \"prompt\";"
                + " prints one {\"text\": ...} per line, in order.")
    private Path prompts;
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options = generationArguments.options();
    PrintWriter out = spec.commandLine().getOut();
    try (LlamaModel model = modelOptions.load(pictureArguments.mmproj())) {
      AdapterOptions.Loaded adapters = adapterOptions.load(model);
      Function<String, GenerationRequest> request =
          prompt -> {
            int[] ids = RawPrompt.encode(model.tokenizer(), prompt);
            GenerationRequest withPictures = model.prompt(ids).options(options);
            for (Picture picture : pictureArguments.pictures()) {
              withPictures = withPictures.image(picture);
            }
            return adapters.addTo(withPictures);
          };
      if (source.prompts != null) {
        generateAll(request, source.prompts, out);
      } else {
        String prompt = source.file == null ? source.prompt : TextFiles.read(source.file);
        generate(request.apply(prompt), out);
      }
    }
    return 0;
  }

  private void generate(GenerationRequest request, PrintWriter out) {
    try (GenerationStream stream = request.stream()) {
      Generation generation = Streaming.print(stream, out);
      out.println();
      Streaming.printTimings(generation, spec.commandLine());
    }
  }

  private static void generateAll(
      Function<String, GenerationRequest> request, Path prompts, PrintWriter out)
      throws IOException {
    int lineNumber = 1;
    for (String line : TextFiles.read(prompts).lines().toList()) {
      if (!line.isBlank()) {
        String place = "%s, line %d".formatted(prompts, lineNumber);
        String text = request.apply(promptOf(line, place)).generate().text();
        out.println(JsonMapper.shared().writeValueAsString(Map.of("text", text)));
      }
      lineNumber++;
    }
  }

  private static String promptOf(String line, String place) {
    try {
      JsonNode prompt = JsonMapper.shared().readTree(line).path("prompt");
      if (prompt.isString()) {
        return prompt.stringValue();
      }
    } catch (JacksonException e) {
      throw new LlamaException(
          "%s: expected a JSON object: %s".formatted(place, e.getOriginalMessage()), e);
    }
    throw new LlamaException(
        "%s: expected an object with a text in the field \"prompt\"".formatted(place));
  }
}
