package org.llamaj.examples.features;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each example prints what the README shows. */
class ReadmeTest {
  private static final Pattern BLOCK =
      Pattern.compile(
          "```console\n\\$ java -jar examples/features/target/features\\.jar (\\w+)\n(.*?)```",
          Pattern.DOTALL);

  static Stream<Map.Entry<String, String>> blocks() throws IOException {
    return outputs().entrySet().stream();
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void printsWhatTheReadmeShows(Map.Entry<String, String> block) throws Exception {
    assertThat(outputOf(block.getKey())).isEqualTo(block.getValue());
  }

  @Test
  void everyExampleIsInTheReadme() throws IOException {
    Path sources = Path.of("src/main/java/org/llamaj/examples/features");
    try (Stream<Path> files = Files.list(sources)) {
      Set<String> examples =
          files
              .filter(file -> isProgram(file) && !file.endsWith("Features.java"))
              .map(file -> file.getFileName().toString().replace(".java", ""))
              .collect(Collectors.toCollection(TreeSet::new));
      assertThat(outputs().keySet()).containsExactlyInAnyOrderElementsOf(examples);
    }
  }

  private static boolean isProgram(Path file) {
    try {
      return Files.readString(file).contains("static void main(");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Map<String, String> outputs() throws IOException {
    Map<String, String> outputs = new LinkedHashMap<>();
    BLOCK
        .matcher(Files.readString(Path.of("README.md")))
        .results()
        .forEach(block -> outputs.put(block.group(1), block.group(2)));
    return outputs;
  }

  private static String outputOf(String example) throws Exception {
    PrintStream before = System.out;
    Locale ofTheMachine = Locale.getDefault();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    Locale.setDefault(Locale.ENGLISH); // numbers as in the README
    try {
      Features.run(example);
    } finally {
      System.setOut(before);
      Locale.setDefault(ofTheMachine);
    }
    return bytes.toString(StandardCharsets.UTF_8).replace("\r\n", "\n");
  }
}
