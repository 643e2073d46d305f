package org.llamaj.examples.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.llamaj.hub.HubModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Gets models without running them. */
@Command(
    name = "download",
    description = "Gets a model from the Hugging Face Hub, and tells where it is.",
    footer = {
      "",
      "What is there already is not loaded again; what was interrupted goes on. HF_TOKEN holds the",
      "token for models whose licence you accepted, HF_HUB_CACHE says where they are kept."
    })
final class DownloadCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "MODEL",
      description =
          "hf:owner/name, with @revision, :Q4_K_M or /file.gguf if wanted: the model's files that"
              + " run here, or that one.")
  private String model;

  @Override
  public Integer call() {
    if (!HubModel.isOne(model)) {
      throw new ParameterException(
          spec.commandLine(),
          "expected a model on the Hub, hf:owner/name, found '%s'".formatted(model));
    }
    Path path = ModelFile.path(model);
    spec.commandLine().getOut().println(path);
    return 0;
  }
}
