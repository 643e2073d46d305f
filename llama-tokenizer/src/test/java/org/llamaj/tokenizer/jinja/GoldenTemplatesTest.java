package org.llamaj.tokenizer.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.llamaj.tokenizer.Golden;

/** Templates and snippets against Jinja2 in the environment of transformers. */
class GoldenTemplatesTest {
  private static final LocalDateTime CLOCK = LocalDateTime.of(2025, 3, 7, 14, 5, 9);

  @Test
  void featuresAreThoseOfJinja2() {
    List<Golden.Record> features = Golden.lines(Golden.resource("chat/jinja/features.jsonl"));
    assertThat(features).hasSize(106);
    for (Golden.Record feature : features) {
      check(feature.string("template"), feature, feature.string("template"));
    }
  }

  @Test
  void renderingsAreThoseOfJinja2() throws IOException {
    List<Golden.Record> renderings = Golden.lines(Golden.resource("chat/jinja/rendered.jsonl"));
    assertThat(renderings).hasSize(174);
    for (Golden.Record rendering : renderings) {
      String template = rendering.string("template");
      check(
          Files.readString(Golden.resource("chat/jinja/templates/" + template + ".jinja")),
          rendering,
          rendering.string("id"));
    }
  }

  private static void check(String template, Golden.Record expected, String name) {
    Map<String, Object> variables = new HashMap<>();
    expected.record("context").map().forEach((key, value) -> variables.put((String) key, value));
    try {
      String output =
          Template.parse(template).render(variables, () -> CLOCK, Duration.ofSeconds(10));
      assertThat(output).as(name).isEqualTo(expected.get("output"));
    } catch (JinjaException e) {
      if (!expected.has("error")) {
        fail(name, e);
      }
      assertThat(e.kind().name().toLowerCase(Locale.ROOT))
          .as("%s: %s", name, e.getMessage())
          .isEqualTo(expected.string("error"));
      if (expected.string("error").equals("raised")) {
        assertThat(e).hasMessage(expected.string("message"));
      }
    }
  }
}
