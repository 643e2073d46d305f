package org.llamaj.vision.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A folder of reference data for pictures: {@code case.json} and raw tensors.
 *
 * @param folder the folder
 * @param json what case.json says
 */
public record GoldenVision(Path folder, JsonNode json) {

  /** The whole reference data if it is there, otherwise what is committed of it. */
  public static Path root() {
    Path all = Path.of(System.getProperty("golden.dir", "")).resolve("vision");
    if (!System.getProperty("golden.dir", "").isEmpty() && Files.isDirectory(all)) {
      return all;
    }
    try {
      return Path.of(GoldenVision.class.getResource("/golden/vision").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The cases in a folder, by name; none if it is not there. */
  public static List<GoldenVision> all(String folder) {
    Path path = root().resolve(folder);
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> cases = Files.list(path)) {
      return cases
          .filter(c -> Files.exists(c.resolve("case.json")))
          .sorted()
          .map(c -> new GoldenVision(c, read(c.resolve("case.json"))))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static JsonNode read(Path file) {
    return new JsonMapper().readTree(file.toFile());
  }

  public int integer(String name) {
    return json.get(name).asInt();
  }

  public boolean has(String tensor) {
    return json.path("tensors").has(tensor)
        && Files.exists(folder.resolve(json.get("tensors").get(tensor).get("file").asString()));
  }

  public float[] floats(String tensor) {
    float[] values = new float[Math.toIntExact(bytes(tensor).remaining() / 4)];
    bytes(tensor).asFloatBuffer().get(values);
    return values;
  }

  public int[] ints(String tensor) {
    int[] values = new int[Math.toIntExact(bytes(tensor).remaining() / 4)];
    bytes(tensor).asIntBuffer().get(values);
    return values;
  }

  public ByteBuffer bytes(String tensor) {
    Path file = folder.resolve(json.get("tensors").get(tensor).get("file").asString());
    try {
      return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The pictures of a model's case. */
  public List<Path> images() {
    return StreamSupport.stream(json.path("images").spliterator(), false)
        .map(image -> root().resolve(image.get("file").asString()))
        .toList();
  }

  public static void assertClose(float[] found, float[] expected, double tolerance, String what) {
    assertThat(found).as(what).hasSameSizeAs(expected);
    double worst = 0;
    int where = 0;
    for (int i = 0; i < found.length; i++) {
      double difference = Math.abs(found[i] - expected[i]);
      if (!(difference <= worst)) {
        worst = difference;
        where = i;
      }
    }
    assertThat(worst).as("%s: largest difference, at %d", what, where).isLessThan(tolerance);
  }

  @Override
  public String toString() {
    return folder.getFileName().toString();
  }
}
