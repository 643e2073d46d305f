package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.examples.demomodel.DemoModel;

/** A model file, for commands that look into it without running it. */
final class ModelFile {
  private ModelFile() {}

  /**
   * Opens a file.
   *
   * @param file a model as {@link Checkpoint#open} knows it; empty for the demo model
   * @return to be closed by the caller
   */
  static Checkpoint open(Optional<Path> file) {
    if (file.isPresent()) {
      return Checkpoint.open(file.get());
    }
    try (InputStream demo = DemoModel.open()) {
      return GgufReader.read(demo, DemoModel.FILE_NAME);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
