package org.llamaj.tokenizer.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.tokenizer.Golden;
import org.llamaj.tokenizer.TinyTokenizers;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** Tokenizer files that are damaged, or of another kind. */
class BadFilesTest {
  private static final String MODEL = "tokenizer/tiny-spm-llama2/tokenizer.model";

  @TempDir private Path folder;

  @Test
  void theUndamagedFileIsRead() {
    Tokenizer tokenizer = Tokenizer.load(Golden.resource(MODEL));
    assertThat(tokenizer.encode("the Mond")).isEqualTo(TinyTokenizers.LLAMA_2.encode("the Mond"));
    Golden.json(Golden.resource("tokenizer/tiny-spm-llama2/cases.json"))
        .records("sentencepiece_cases")
        .forEach(c -> assertThat(tokenizer.encode(c.string("text"))).isEqualTo(c.ids("ids")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "                       | found an empty file",
        "00                     | expected a field number",
        "0a                     | it ends inside a field",
        "0aff                   | it ends inside a field",
        "0a05                   | claims 5 bytes, 0 are left",
        "0affffffff0f           | claims 4294967295 bytes",
        "0affffffffffffffffff01 | claims -1 bytes",
        "ffffffffffffffffffffff | more than ten bytes",
        "27                     | wire type of 0",
        "0801                   | expected wire type 2, found 0",
        "0a020a05               | claims 5 bytes",
        "0a021807               | expected a type from 1 to 6, found 7",
        "0a031500               | claims 3 bytes",
        "0a03150000             | it ends inside a field",
        "1202                   | claims 2 bytes",
        "12021802               | it has no pieces",
        "0a030a0161             | a model of type 1",
        "0a030a016112021802     | remove_extra_whitespaces",
        "0a030a0161120218021a022000 | bos_id: expected an id below 1",
        "0a030a016112041802c2ff     | it ends inside a field",
        "47475546               | a GGUF file"
      })
  void damagedSentencePieceFilesAreRefused(String hex, String message) {
    byte[] data = hex == null ? new byte[0] : HexFormat.of().parseHex(hex);
    assertThatThrownBy(() -> load(data))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("tokenizer.model")
        .hasMessageContaining(message);
  }

  @Test
  void everyTruncationIsRefusedOrAShorterVocabulary() throws IOException {
    byte[] whole = Files.readAllBytes(Golden.resource(MODEL));
    for (int length = 0; length < whole.length; length += 13) {
      refusedOrRead(Arrays.copyOf(whole, length));
    }
  }

  @Test
  void changedBytesAreRefusedOrRead() throws IOException {
    byte[] whole = Files.readAllBytes(Golden.resource(MODEL));
    Random random = new Random(12);
    for (int i = 0; i < 3_000; i++) {
      byte[] changed = whole.clone();
      for (int n = random.nextInt(8); n >= 0; n--) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt();
      }
      refusedOrRead(changed);
    }
  }

  @Test
  void randomBytesAreRefused() {
    Random random = new Random(13);
    for (int i = 0; i < 2_000; i++) {
      byte[] data = new byte[1 + random.nextInt(64)];
      random.nextBytes(data);
      refusedOrRead(data);
    }
  }

  @Test
  void tiktokenFilesOfAnotherSizeAreRefused() {
    assertThatThrownBy(() -> load("YQ== 0\nYg== 1\n".getBytes(StandardCharsets.US_ASCII)))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("found 2");
  }

  @Test
  void damagedLinesOfTiktokenFilesAreNamed() {
    String[] lines = new String[128_000];
    for (int i = 0; i < lines.length; i++) {
      byte[] token = {(byte) (i >> 16), (byte) (i >> 8), (byte) i};
      lines[i] = Base64.getEncoder().encodeToString(token) + " " + i;
    }
    assertThat(Tokenizer.load(write(lines)).vocabularySize()).isEqualTo(128_256);
    for (String wrong : new String[] {"AAA= 6", "AAA=", "A*A= 5", " 5", "AAA= 99999999999"}) {
      String before = lines[5];
      lines[5] = wrong;
      Path file = write(lines);
      assertThatThrownBy(() -> Tokenizer.load(file))
          .isInstanceOf(TokenizerException.class)
          .hasMessageContaining("line 6");
      lines[5] = before;
    }
  }

  @Test
  void missingFilesAreNamed() {
    assertThatThrownBy(() -> Tokenizer.load(folder.resolve("none.model")))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("none.model");
  }

  private void refusedOrRead(byte[] data) {
    try {
      Tokenizer tokenizer = SentencePieceFile.read("x", data);
      tokenizer.encode("the Mond \u4e2d");
    } catch (TokenizerException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
  }

  private Tokenizer load(byte[] data) {
    return Tokenizer.load(write(data));
  }

  private Path write(String[] lines) {
    return write(String.join("\n", lines).getBytes(StandardCharsets.US_ASCII));
  }

  private Path write(byte[] data) {
    try {
      return Files.write(folder.resolve("tokenizer.model"), data);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
