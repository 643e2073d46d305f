package org.llamaj.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.llamaj.tokenizer.chat.Content.ToolCall;

class ToolTest {
  record Sum(int a, int b) {}

  record Result(int sum) {}

  private static final Tool ADD =
      Tool.of("add", "adds", Sum.class, sum -> new Result(Math.addExact(sum.a(), sum.b())));

  @Test
  void argumentsAndResultsAreRecords() throws Exception {
    assertThat(ADD.call(Map.of("a", 1L, "b", 2L))).isEqualTo("{\"sum\": 3}");
    assertThat(ADD.definition().parameters().get("required")).isEqualTo(List.of("a", "b"));
  }

  @Test
  void failuresAreTold() {
    ToolRunner runner =
        new ToolRunner(
            List.of(ADD, Tool.of("no", "not allowed", Sum.class, _ -> "ran")),
            call -> !call.name().equals("no"));
    List<ToolRun> runs =
        runner.run(
            List.of(
                new ToolCall("add", Map.of("a", 1L)),
                new ToolCall("add", Map.of("a", Integer.MAX_VALUE, "b", 1)),
                new ToolCall("sub", Map.of()),
                new ToolCall("no", Map.of("a", 1, "b", 2))),
            _ -> {});
    assertThat(runs).allMatch(ToolRun::failed);
    assertThat(runs.stream().map(ToolRun::result))
        .containsExactly(
            "error: Sum: expected the property b, found [a]",
            "error: integer overflow",
            "error: there is no tool sub, only [add, no]",
            "error: the user did not allow this call");
  }

  @Test
  void callsOfOneAnswerRunAtOnce() {
    CyclicBarrier meeting = new CyclicBarrier(3);
    Tool meet =
        Tool.of(
            "meet",
            "waits for the others",
            Sum.class,
            _ -> {
              meeting.await(10, TimeUnit.MINUTES);
              return 1;
            });
    ToolCall call = new ToolCall("meet", Map.of("a", 1, "b", 1));
    List<AgentEvent> events = new ArrayList<>();
    List<ToolRun> runs =
        new ToolRunner(List.of(meet), _ -> true).run(List.of(call, call, call), events::add);
    assertThat(runs).hasSize(3).noneMatch(ToolRun::failed);
    assertThat(events).hasSize(6);
  }

  @Test
  void builtInToolsAreGivenTheQueryOrTheCode() throws Exception {
    assertThat(Tool.builtIn("brave_search", q -> "about " + q).call(Map.of("query", "x")))
        .isEqualTo("about x");
    assertThat(Tool.builtIn("code_interpreter", c -> c).call(Map.of("code", "1+1")))
        .isEqualTo("1+1");
  }

  @Test
  void twoToolsOfOneNameAreRefused() {
    assertThatThrownBy(() -> new ToolRunner(List.of(ADD, ADD), _ -> true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("two called add");
  }

  @Test
  void stepsArePutTogether() {
    Step<Integer, Integer> twice = n -> 2 * n;
    assertThat(twice.then(n -> n + 1).run(5)).isEqualTo(11);
    assertThat(Step.until((Integer n) -> n > 50, 10, twice).run(3)).isEqualTo(96);
    assertThat(Step.until((Integer n) -> n > 50, 2, twice).run(3)).isEqualTo(12);
    Step<Integer, String> branch =
        Step.choose(n -> n % 2 == 0 ? _ -> "even" : odd -> odd + " is odd");
    assertThat(branch.run(3)).isEqualTo("3 is odd");
    assertThat(Step.<Integer, Integer>all(List.of(twice, n -> n + 1)).run(4)).containsExactly(8, 5);
  }
}
