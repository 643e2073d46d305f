package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.llamaj.golden.GoldenAssertions.logits;
import static org.llamaj.golden.GoldenAssertions.maxDifference;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.ModelBuilder;
import org.llamaj.golden.GoldenCase;

class PageFileTest {
  @TempDir private Path folder;

  @Test
  void aCacheInAFileGivesTheSameLogits() throws IOException {
    GoldenCase golden = GoldenCase.all("text", PageFileTest.class).getFirst();
    Path directory = folder.resolve("made/on/demand");
    List<float[]> inMemory = promptLogits(golden, Optional.empty());
    List<float[]> inFile = promptLogits(golden, Optional.of(directory));
    assertThat(maxDifference(inFile, inMemory.toArray(float[][]::new))).isZero();
    try (var files = Files.list(directory)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void pagesAreZeroedAndDoNotOverlap() {
    long bytes = 100L << 20;
    try (Arena arena = Arena.ofShared();
        PageFile file = PageFile.create(folder, arena)) {
      MemorySegment[] pages = new MemorySegment[4];
      for (int i = 0; i < pages.length; i++) {
        pages[i] = file.allocate(i == 1 ? 64 : bytes);
        assertThat(pages[i].address() % 64).isZero();
        assertThat(pages[i].get(ValueLayout.JAVA_BYTE, pages[i].byteSize() - 1)).isZero();
        pages[i].fill((byte) (i + 1));
      }
      for (int i = 0; i < pages.length; i++) {
        assertThat(pages[i].get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) (i + 1));
        assertThat(pages[i].get(ValueLayout.JAVA_BYTE, pages[i].byteSize() - 1))
            .isEqualTo((byte) (i + 1));
      }
    }
  }

  @Test
  void filesOfCrashedJvmsAreRemovedAndThoseOfOthersAreNot() throws IOException {
    Path abandoned = Files.writeString(folder.resolve("llamaj-cache-1.tmp"), "abandoned");
    Path inUse = Files.writeString(folder.resolve("llamaj-cache-2.tmp"), "in use");
    Path notOurs = Files.writeString(folder.resolve("notes.tmp"), "not ours");
    try (FileChannel channel = FileChannel.open(inUse, StandardOpenOption.WRITE);
        FileLock lock = channel.lock();
        Arena arena = Arena.ofShared();
        PageFile file = PageFile.create(folder, arena)) {
      assertThat(lock.isValid()).isTrue();
      assertThat(abandoned).doesNotExist();
      assertThat(inUse).exists();
      assertThat(notOurs).exists();
      file.allocate(64);
    }
  }

  @Test
  void aDirectoryThatCannotBeIsReported() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    try (Arena arena = Arena.ofShared()) {
      assertThatThrownBy(() -> PageFile.create(file, arena).close())
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining(file.toString());
    }
  }

  /** A file that cannot be written to stands for a full disk. */
  @Test
  void aPageThatCannotBeWrittenIsReported() {
    try (Arena arena = Arena.ofShared()) {
      PageFile file = PageFile.create(folder, arena);
      file.allocate(64);
      file.close();
      assertThatThrownBy(() -> file.allocate(1024))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("no room for one more page")
          .hasMessageContaining(folder.toString());
    }
  }

  private static List<float[]> promptLogits(GoldenCase golden, Optional<Path> directory) {
    ModelBuilder builder =
        LlamaModel.builder(golden.model()).kernels("scalar").contextLength(512).threads(1);
    directory.ifPresent(builder::kvDirectory);
    try (LlamaModel model = builder.load()) {
      return logits(model, golden.prompt(), 16);
    }
  }
}
