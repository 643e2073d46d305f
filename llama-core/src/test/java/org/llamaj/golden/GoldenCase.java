package org.llamaj.golden;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One folder of reference data made by independent implementations.
 *
 * @param folder holds model, expectations and logits
 * @param expected what the folder's expected.json says
 */
public record GoldenCase(Path folder, JsonNode expected) {

  /**
   * The cases of a kind: all of them where the reference folder is present (system property {@code
   * golden.dir}), otherwise those that are committed as test resources.
   *
   * @param kind name of the folder
   * @param test a test of the module whose resources count
   * @return the cases, by name
   */
  public static List<GoldenCase> all(String kind, Class<?> test) {
    Path folder = Path.of(System.getProperty("golden.dir", ""), kind);
    if (System.getProperty("golden.dir", "").isEmpty() || !Files.isDirectory(folder)) {
      folder = resources(test).resolve(kind);
    }
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> cases = Files.list(folder)) {
      return cases
          .filter(path -> Files.exists(path.resolve("expected.json")))
          .sorted()
          .map(GoldenCase::read)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static GoldenCase read(Path folder) {
    return new GoldenCase(
        folder, new JsonMapper().readTree(folder.resolve("expected.json").toFile()));
  }

  private static Path resources(Class<?> test) {
    URL url = test.getResource("/golden");
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  public String name() {
    return folder.getFileName().toString();
  }

  String architecture() {
    return expected.path("architecture").asString();
  }

  public boolean isLora() {
    return expected.has("lora");
  }

  /** The long prompt, or several thousand tokens of it at least. */
  public boolean isLong() {
    return tokens() > 1024;
  }

  /** How many tokens the prompt has. */
  public int tokens() {
    return expected.path("n_tokens").asInt(512);
  }

  /** The position of the first row of logits. */
  public int firstPosition() {
    return expected.path("logits").path("first_position").asInt(0);
  }

  public boolean hasExperts() {
    return name().startsWith("mixtral") || architecture().equals("llama4");
  }

  public boolean isFloat32() {
    return !expected.has("file_type") || expected.get("file_type").asString().equals("F32");
  }

  public Path model() {
    return folder.resolve(expected.get("model").asString());
  }

  public int[] prompt() {
    return ints("prompt");
  }

  public int[] ints(String name) {
    JsonNode node = expected.get(name);
    int[] values = new int[node.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = node.get(i).asInt();
    }
    return values;
  }

  public double[] numbers(String name) {
    JsonNode node = expected.get(name);
    double[] values = new double[node.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = node.get(i).asDouble();
    }
    return values;
  }

  /** The exact answer: what float32 arithmetic gives on the dequantised weights. */
  public float[][] exactLogits() {
    String field = expected.has("logits_exact") ? "logits_exact" : "logits";
    JsonNode description = expected.get(field);
    return matrix(
        folder.resolve(description.get("file").asString()),
        description.get("rows").asInt(),
        description.get("cols").asInt());
  }

  private static float[][] matrix(Path file, int rows, int columns) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      float[][] values = new float[rows][columns];
      for (float[] row : values) {
        bytes.asFloatBuffer().get(row);
        bytes.position(bytes.position() + columns * (int) ValueLayout.JAVA_FLOAT.byteSize());
      }
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return name();
  }
}
