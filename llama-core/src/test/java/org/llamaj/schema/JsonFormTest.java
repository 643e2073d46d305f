package org.llamaj.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.LlamaException;
import tools.jackson.databind.json.JsonMapper;

class JsonFormTest {
  enum Color {
    RED,
    GREEN
  }

  sealed interface Figure {}

  record Circle(double radius) implements Figure {}

  record Rectangle(double width, double height) implements Figure {}

  record Tree(String name, List<Tree> branches) {}

  @Description("all of it")
  record Everything(
      @Description("a text") String text,
      int number,
      boolean flag,
      Color color,
      Optional<String> maybe,
      List<Integer> list,
      Set<Color> set,
      Map<String, Double> map,
      Map<Color, Integer> counts,
      Figure figure,
      LocalDate date) {}

  private static final Everything VALUE =
      new Everything(
          "a \"b\"\n",
          -7,
          true,
          Color.GREEN,
          Optional.empty(),
          List.of(1, 2),
          Set.of(Color.RED),
          Map.of("x", 1.5),
          Map.of(Color.RED, 3),
          new Rectangle(1, 2.5),
          LocalDate.of(2024, 2, 29));

  @Test
  void valuesAreReadAsTheyWereWritten() {
    JsonForm<Everything> form = JsonForm.of(Everything.class);
    String json = form.write(VALUE);
    assertThat(form.read(json)).isEqualTo(VALUE);
    assertThat(form.grammar().accepts(json)).as(json).isTrue();
    assertThat(new JsonMapper().readTree(json).get("figure").get("type").asString())
        .isEqualTo("Rectangle");
  }

  @Test
  void theSchemaTellsWhatIsNeeded() {
    Map<String, Object> schema = JsonForm.of(Everything.class).schema();
    assertThat(schema).containsEntry("description", "all of it");
    assertThat(schema.get("required").toString()).doesNotContain("maybe").contains("text", "date");
    assertThat(JsonForm.of(Everything.class).schemaText())
        .contains("\"text\": {\"type\": \"string\", \"description\": \"a text\"}")
        .contains("\"enum\": [\"RED\", \"GREEN\"]");
  }

  @Test
  void typesThatContainThemselvesWork() {
    JsonForm<Tree> form = JsonForm.of(Tree.class);
    Tree tree = new Tree("a", List.of(new Tree("b", List.of()), new Tree("c", List.of())));
    String json = form.write(tree);
    assertThat(form.read(json)).isEqualTo(tree);
    assertThat(form.grammar().accepts(json)).isTrue();
    assertThat(form.grammar().accepts("{\"name\": \"a\"}")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"radius\": 1}; Figure: expected an object with the type one of [Circle, Rectangle]",
        "{\"type\": \"Circle\"}; Figure: expected the property radius",
        "{\"type\": \"Circle\", \"radius\": \"1\"}; Figure.radius: expected a number, found 1",
        "[; expected JSON for Figure"
      })
  void otherFormsAreToldWithTheirPath(String json, String message) {
    assertThatThrownBy(() -> JsonForm.of(Figure.class).read(json))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void wholeNumbersKeepToTheirType() {
    assertThat(JsonForm.of(int.class).grammar().accepts("2147483647")).isTrue();
    assertThat(JsonForm.of(int.class).grammar().accepts("2147483648")).isFalse();
    assertThat(JsonForm.of(byte.class).grammar().accepts("-129")).isFalse();
    assertThat(JsonForm.of(long.class).grammar().accepts("-9223372036854775808")).isTrue();
  }

  @Test
  void typesThatJsonCannotExpressAreRefused() {
    assertThatThrownBy(() -> JsonForm.of(Thread.class))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("found java.lang.Thread");
  }
}
