package org.llamaj.examples.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.llamaj.ChatSession;
import org.llamaj.GenerationOptions;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaModel;
import org.llamaj.Picture;
import org.llamaj.SamplingOptions;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what is in a picture. */
@Command(
    name = "describe",
    description = "Says what is in a picture, with a model that sees.",
    footer = {
      "",
      "The model is one of Llama 4 or Llama 3.2 Vision. Without --model it is a tiny one that is",
      "built in and knows pictures of coloured shapes."
    })
final class DescribeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions modelOptions;

  @Option(
      names = "--mmproj",
      paramLabel = "FILE",
      description = "The model's image encoder as GGUF file, if the model has it in its own file.")
  private Path mmproj;

  @Parameters(
      arity = "1..*",
      paramLabel = "PICTURE",
      description = "The picture, or several to look at together: PNG, JPEG, WebP, BMP or GIF.")
  private List<Path> files;

  @Option(
      names = {"-q", "--question"},
      paramLabel = "TEXT",
      defaultValue = "Describe the picture.",
      description = "What to ask about it (default: ${DEFAULT-VALUE}).")
  private String question;

  @Override
  public Integer call() {
    List<Picture> pictures = files.stream().map(Picture::of).toList();
    GenerationOptions options = GenerationOptions.defaults().withSampling(SamplingOptions.greedy());
    PrintWriter out = spec.commandLine().getOut();
    try (LlamaModel model = modelOptions.loadSeeing(Optional.ofNullable(mmproj));
        ChatSession chat = model.chat().options(options).open()) {
      List<Content> parts = new ArrayList<>();
      pictures.forEach(picture -> parts.add(model.image(picture)));
      parts.add(new Content.Text(question));
      try (GenerationStream answer = chat.stream(Message.user(parts.toArray(Content[]::new)))) {
        Streaming.print(answer, out);
      }
      out.println();
    }
    return 0;
  }
}
