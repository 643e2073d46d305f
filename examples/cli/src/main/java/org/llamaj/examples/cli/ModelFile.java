package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.hub.Hub;
import org.llamaj.hub.HubModel;
import org.llamaj.hub.HubSettings;

/** A model file, for commands that look into it without running it. */
final class ModelFile {
  private ModelFile() {}

  /**
   * Opens a model.
   *
   * @param model on the Hub, or as {@link Checkpoint#open} knows it; empty for the demo model
   * @return to be closed by the caller
   */
  static Checkpoint open(Optional<String> model) {
    if (model.isPresent()) {
      return Checkpoint.open(path(model.get()));
    }
    try (InputStream demo = DemoModel.open()) {
      return GgufReader.read(demo, DemoModel.FILE_NAME);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where a model is, or has been put. */
  static Path path(String model) {
    return HubModel.isOne(model)
        ? new Hub(HubSettings.fromEnvironment()).fetch(HubModel.parse(model), new DownloadBar())
        : Path.of(model);
  }
}
