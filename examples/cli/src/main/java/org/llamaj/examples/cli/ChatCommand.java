package org.llamaj.examples.cli;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.llamaj.GenerationOptions;
import org.llamaj.LlamaModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A conversation with a model. */
@Command(
    name = "chat",
    description = "Talks with a model.",
    footer = {
      "",
      "/help lists what can be typed besides messages. Where standard input is no terminal, each of",
      "its lines is a message, and only the answers are printed."
    })
final class ChatCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions modelOptions;
  @Mixin private PictureArguments pictureArguments;
  @Mixin private AdapterOptions adapterOptions;
  @Mixin private GenerationArguments generationArguments;

  @Option(
      names = {"-s", "--system"},
      paramLabel = "TEXT",
      description = "The system message: who the model is, and what rules hold.")
  private String system;

  @Override
  public Integer call() throws IOException {
    GenerationOptions options = generationArguments.options();
    boolean interactive = Terminal.isInteractive();
    try (LlamaModel model = modelOptions.load(pictureArguments.mmproj())) {
      if (interactive) {
        spec.commandLine().getOut().println(model.describe());
        spec.commandLine().getOut().println("/help lists commands, /bye ends.");
      }
      new ChatLoop(
              model,
              adapterOptions.load(model).addTo(model.chat().options(options)),
              Optional.ofNullable(system),
              pictureArguments.pictures(),
              spec.commandLine(),
              Terminal.lines(),
              interactive)
          .run();
    }
    return 0;
  }
}
