package org.llamaj.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.llamaj.LlamaException;

/** Refuses beforehand what would fail after minutes, or lose a file. */
final class OutputFile {
  private OutputFile() {}

  /** Refuses a place where no file can be, or where one would be lost. */
  static void requireFree(Path file, boolean replace) {
    if (!Files.isDirectory(file.toAbsolutePath().getParent())) {
      throw new LlamaException("%s: there is no such folder".formatted(file));
    }
    if (Files.isDirectory(file)) {
      throw new LlamaException("%s: expected a file to write, found a folder".formatted(file));
    }
    if (Files.exists(file) && !replace) {
      throw new LlamaException("%s: there is such a file; --force replaces it".formatted(file));
    }
  }

  static void requireSpace(Path file, long needed) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    requireSpace(file, needed, Files.getFileStore(folder).getUsableSpace());
  }

  static void requireSpace(Path file, long needed, long usable) {
    if (usable < needed) {
      throw new LlamaException(
          "%s: expected %s of free space on its disk, found %s"
              .formatted(file, ByteSize.of(needed), ByteSize.of(usable)));
    }
  }
}
