package org.llamaj.tokenizer.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.llamaj.tokenizer.Golden;

/** Answers of models, whole and in pieces of every size. */
class ToolCallParserTest {
  private static List<Golden.Record> answers() {
    List<Golden.Record> answers = Golden.lines(Golden.resource("chat/toolcalls.jsonl"));
    assertThat(answers).hasSizeGreaterThan(150);
    return answers;
  }

  @Test
  void everyMandatoryAnswerIsReadAsTheReferenceSays() {
    for (Golden.Record answer : answers()) {
      if (!answer.bool("optional")) {
        assertThat(ToolCallParser.parse(answer.string("text")))
            .as("%s: %s", answer, answer.string("text"))
            .isEqualTo(calls(answer));
      }
    }
  }

  @Test
  void thePiecesInWhichAnAnswerArrivesMakeNoDifference() {
    for (Golden.Record answer : answers()) {
      String text = answer.string("text");
      List<ToolCallEvent> whole = settled(events(text, Math.max(1, text.length())));
      for (int size : new int[] {1, 2, 3, 7, 16}) {
        assertThat(settled(events(text, size)))
            .as("%s in pieces of %d: %s", answer, size, text)
            .isEqualTo(whole);
      }
    }
  }

  @Test
  void theReaderSeesNoMarkers() {
    for (Golden.Record answer : answers()) {
      for (ToolCallEvent event : events(answer.string("text"), 1)) {
        if (event instanceof ToolCallEvent.Text text && !answer.bool("optional")) {
          assertThat(text.text())
              .as("%s: %s", answer, answer.string("text"))
              .doesNotContain("<|eo", "<|python", "_header");
        }
      }
    }
  }

  @Test
  void callsGrow() {
    List<ToolCallEvent> events = events("[get_weather(city=\"Oslo\"), now()]<|eot|>", 9);
    StringBuilder arguments = new StringBuilder();
    List<String> names = new ArrayList<>();
    for (ToolCallEvent event : events) {
      if (event instanceof ToolCallEvent.Growing growing) {
        if (growing.fragment().isEmpty()) {
          names.add(growing.name());
        }
        arguments.append(growing.fragment());
      }
    }
    assertThat(names).containsExactly("get_weather", "now");
    assertThat(arguments).hasToString("(city=\"Oslo\")()");
    assertThat(events.getLast())
        .isEqualTo(new ToolCallEvent.Call(new Content.ToolCall("now", Map.of())));
  }

  @Test
  void whatBeganAsACallAndIsNoneIsReported() {
    List<ToolCallEvent> events = events("[get_weather(\"Paris\")]", 4);
    assertThat(events.getLast())
        .isEqualTo(
            new ToolCallEvent.Malformed(
                "[get_weather(\"Paris\")]", "expected a name at character 13, found '\"'"));
  }

  @Test
  void textIsPassedOnAsItArrives() {
    ToolCallParser parser = new ToolCallParser();
    assertThat(parser.accept("It is ")).containsExactly(new ToolCallEvent.Text("It is "));
    assertThat(parser.accept("5 < 6")).containsExactly(new ToolCallEvent.Text("5 < 6"));
    assertThat(parser.accept(".<|eot")).containsExactly(new ToolCallEvent.Text("."));
    assertThat(parser.accept("_id|>")).isEmpty();
    assertThat(parser.finish()).isEmpty();
  }

  @Test
  void jsonThatIsNoCallIsPassedOnAsSoonAsThatIsClear() {
    ToolCallParser parser = new ToolCallParser();
    assertThat(parser.accept("{\"answer")).isEmpty();
    assertThat(parser.accept("\": 4")).containsExactly(new ToolCallEvent.Text("{\"answer\": 4"));
  }

  private static List<ToolCallEvent> events(String text, int size) {
    ToolCallParser parser = new ToolCallParser();
    List<ToolCallEvent> events = new ArrayList<>();
    for (int at = 0; at < text.length(); at += size) {
      events.addAll(parser.accept(text.substring(at, Math.min(text.length(), at + size))));
    }
    events.addAll(parser.finish());
    return events;
  }

  /** The events that last, with all text in one. */
  private static List<ToolCallEvent> settled(List<ToolCallEvent> events) {
    List<ToolCallEvent> settled = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (ToolCallEvent event : events) {
      switch (event) {
        case ToolCallEvent.Text more -> text.append(more.text());
        case ToolCallEvent.Growing growing -> {}
        default -> settled.add(event);
      }
    }
    settled.addFirst(new ToolCallEvent.Text(text.toString()));
    return settled;
  }

  private static List<Content.ToolCall> calls(Golden.Record answer) {
    return answer.records("calls").stream()
        .map(
            call -> {
              Map<String, Object> arguments = new LinkedHashMap<>();
              call.record("arguments").map().forEach((k, v) -> arguments.put((String) k, v));
              return new Content.ToolCall(call.string("name"), arguments);
            })
        .toList();
  }
}
