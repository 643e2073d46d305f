package org.llamaj.examples.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.llamaj.Picture;
import picocli.CommandLine.Option;

/** The options of commands that take pictures. */
final class PictureArguments {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      description =
          "A picture to look at: PNG, JPEG, BMP, GIF, or WebP with"
              + " com.twelvemonkeys.imageio:imageio-webp on the class path. May be given several"
              + " times.")
  private List<Path> images = List.of();

  @Option(
      names = "--mmproj",
      paramLabel = "FILE",
      description = "The model's image encoder as GGUF file, if the model has it in its own file.")
  private Path mmproj;

  /** Reads the pictures. */
  List<Picture> pictures() {
    return images.stream().map(Picture::of).toList();
  }

  Optional<Path> mmproj() {
    return Optional.ofNullable(mmproj);
  }
}
