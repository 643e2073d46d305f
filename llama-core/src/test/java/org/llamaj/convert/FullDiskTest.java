package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufReader;

/** On a disk of 64 KiB, where the process may mount one. */
class FullDiskTest {
  @TempDir Path folder;

  @Test
  void aFullDiskLeavesTheOldFileAndNoHalfOne() throws Exception {
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder.toString()),
        "no permission to mount");
    try {
      Path file = folder.resolve("model.gguf");
      Files.writeString(file, "old");
      try (Checkpoint model = GgufReader.open(ConversionTest.model())) {
        assertThatThrownBy(() -> Conversion.of(model).to(FileType.Q8_0).write(file))
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining("No space left");
      }
      assertThat(file).hasContent("old");
      assertThat(folder).isDirectoryNotContaining("glob:**.partial");
    } finally {
      run("umount", folder.toString());
    }
  }

  private static boolean run(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
