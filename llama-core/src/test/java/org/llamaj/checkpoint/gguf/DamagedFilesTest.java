package org.llamaj.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;

/** Files with one fault each, and a few odd ones without. */
class DamagedFilesTest {
  @ParameterizedTest(name = "{0}: {3}")
  @CsvFileSource(resources = "damaged-files.csv", numLinesToSkip = 1)
  void readerRefusesWhatIsNoWellFormedFile(String file, String format, String model, String what)
      throws Exception {
    if (format.equals("accept")) {
      try (Checkpoint checkpoint = GgufReader.open(resource(file))) {
        assertThat(checkpoint.tensors()).isNotEmpty();
      }
    } else {
      assertThatThrownBy(() -> GgufReader.open(resource(file)))
          .isInstanceOf(CheckpointException.class)
          .hasMessageStartingWith(file)
          .hasMessageContaining("expected")
          .hasMessageContaining("found");
    }
  }

  @ParameterizedTest(name = "{0}: {3}")
  @CsvFileSource(resources = "damaged-files.csv", numLinesToSkip = 1)
  void loadingRefusesWhatIsNoModel(String file, String format, String model, String what)
      throws Exception {
    LlamaException failure =
        catchThrowableOfType(LlamaException.class, () -> LlamaModel.load(resource(file)).close());
    switch (model) {
      case "accept" -> assertThat(failure).isNull();
      case "reject" -> assertThat(failure).isNotNull().hasMessageContaining("expected");
      default -> {}
    }
  }

  @ParameterizedTest
  @CsvSource({
    "alignment-3.gguf, 'alignment-3.gguf: general.alignment: expected a power of two, found 3'",
    "ne-zero.gguf, 'ne-zero.gguf, byte 1517: tensor token_embd.weight: expected dimensions of at least 1, found [0, 16]'",
    "html-error-page.gguf, 'html-error-page.gguf, byte 0: expected a GGUF file, found a web page: the download went wrong'",
    "offset-overlap.gguf, 'offset-overlap.gguf: tensor blk.0.attn_v.weight: expected data of its own, found 2560 bytes shared with token_embd.weight'",
  })
  void messagesSayWhatIsWrongAndWhere(String file, String message) throws Exception {
    assertThatThrownBy(() -> GgufReader.open(resource(file))).hasMessage(message);
  }

  @Test
  void arraysThousandsDeepDoNotOverflowTheStack() {
    int depth = 20_000;
    byte[] key = "x".getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(24 + 8 + key.length + 4 + 12 * depth).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(GgufHeader.MAGIC).putInt(3).putLong(0).putLong(1);
    file.putLong(key.length).put(key).putInt(9);
    for (int i = 0; i < depth; i++) file.putInt(9).putLong(1);
    assertThatThrownBy(() -> GgufReader.read(MemorySegment.ofBuffer(file.flip()), "nested"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("x: expected at most 8 arrays inside each other");
  }

  private static Path resource(String file) throws URISyntaxException {
    return Path.of(DamagedFilesTest.class.getResource("/golden/bad/" + file).toURI());
  }
}
