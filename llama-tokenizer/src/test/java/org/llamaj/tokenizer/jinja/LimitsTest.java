package org.llamaj.tokenizer.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.tokenizer.Golden;

/** Templates that would never end, or take all memory, or see what they must not. */
class LimitsTest {
  private static String render(String template) {
    return Template.parse(template)
        .render(Map.of("l", List.of(1L)), LocalDateTime::now, Duration.ofMillis(300));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = n.l + n.l %}{% endfor %}",
        "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = [n.l, n.l] %}{% endfor %}"
            + "{{ n.l }}",
        "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = [n.l, n.l] %}{% endfor %}"
            + "{{ n.l | tojson }}",
        "{% set n = namespace(l=[1], m=[1]) %}{% for i in range(99) %}{% set n.l = [n.l, n.l] %}"
            + "{% set n.m = [n.m, n.m] %}{% endfor %}{{ n.l == n.m }}",
        "{% set n = namespace(l=1) %}{% for i in range(9999) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l }}",
        "{{ 'x' * 999999999 }}",
        "{{ [1] * 999999999 }}",
        "{{ 2 ** 999999 }}",
        "{{ 9 ** 9 ** 9 ** 9 ** 9 }}",
        "{{ range(1000000) }}",
        "{{ range(10, 0, 0) }}",
        "{{ 'x'.center(999999999) }}",
        "{{ '%9999999d' % 1 }}",
        "{{ 'a'.join(['b'] * 1000000) * 100 }}",
        "{{ 'aaaa'.replace('a', 'b' * 60000000) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for x in l recursive %}{{ loop(l) }}{% endfor %}",
        "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}"
      })
  void areStopped(String template) {
    assertThatThrownBy(() -> render(template))
        .isInstanceOfSatisfying(
            JinjaException.class, e -> assertThat(e.kind()).isEqualTo(JinjaException.Kind.RUNTIME));
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "[", "{", "-", "not ", "a if ", "a.", "a[", "f(", "1 ** "})
  void nestingIsBounded(String open) {
    assertThatThrownBy(() -> render("{{ " + open.repeat(100_000)))
        .isInstanceOf(JinjaException.class);
    assertThatThrownBy(() -> render("{% if a %}".repeat(50_000)))
        .isInstanceOf(JinjaException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ l.append(1) }}",
        "{{ l.clear() }}",
        "{{ {}.update(a=1) }}",
        "{{ {}.setdefault('a', 1) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ l.__len__() }}",
        "{{ l['__class__']() }}",
        "{{ (l | attr('__class__'))() }}"
      })
  void cannotChangeOrLookBehindValues(String template) {
    assertThatThrownBy(() -> render(template))
        .isInstanceOfSatisfying(
            JinjaException.class,
            e -> assertThat(e.kind()).isEqualTo(JinjaException.Kind.SECURITY));
  }

  @Test
  void damagedTemplatesFailAsTemplates() throws Exception {
    Random random = new Random(31);
    String whole = Files.readString(Golden.resource("chat/jinja/templates/llama3.1.jinja"));
    String letters = "{}%#-+|'\"()[]., \nabis01";
    Map<String, Object> variables =
        Map.of(
            "messages",
            List.of(Map.of("role", "user", "content", "x")),
            "add_generation_prompt",
            true,
            "bos_token",
            "<s>");
    for (int i = 0; i < 5_000; i++) {
      StringBuilder text = new StringBuilder(whole);
      for (int n = random.nextInt(5); n >= 0; n--) {
        text.setCharAt(
            random.nextInt(text.length()), letters.charAt(random.nextInt(letters.length())));
      }
      try {
        Template.parse(text.toString())
            .render(variables, LocalDateTime::now, Duration.ofSeconds(2));
      } catch (JinjaException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }
}
