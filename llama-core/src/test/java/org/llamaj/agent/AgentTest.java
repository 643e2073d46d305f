package org.llamaj.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaModel;
import org.llamaj.TestModels;
import org.llamaj.agent.AgentAnswer.Outcome;
import org.llamaj.grammar.Grammar;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.tokenizer.chat.Role;

/** The loop of an agent, with a model whose answers are written beforehand. */
class AgentTest {
  record Sum(int a, int b) {}

  /** Prompts with tools hold the date; where a script leaves a choice, another might be taken. */
  private static final LocalDate TODAY = LocalDate.of(2026, 11, 28);

  private static final String ADD = "{\"name\": \"add\", \"parameters\": {\"a\": 1, \"b\": 2}}";

  private static LlamaModel model;

  private final List<AgentEvent> events = new ArrayList<>();

  @BeforeAll
  static void load() {
    model = LlamaModel.builder(TestModels.small()).kernels("scalar").contextLength(8000).load();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void aCallRunsAndItsResultIsTold() {
    try (Agent agent = adding(ADD, "It is 3.").open()) {
      AgentAnswer answer = agent.send("What is 1 + 2?", events::add);
      assertThat(answer.outcome()).isEqualTo(Outcome.ANSWERED);
      assertThat(answer.text()).isEqualTo("It is 3.");
      assertThat(answer.runs()).extracting(ToolRun::result).containsExactly("3");
      assertThat(events.get(0)).isInstanceOf(AgentEvent.CallStarted.class);
      assertThat(events.get(1)).isEqualTo(new AgentEvent.CallFinished(answer.runs().getFirst()));
      assertThat(streamed()).isEqualTo("It is 3.");
      assertThat(agent.session().conversation().messages())
          .extracting(Message::role)
          .containsExactly(Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT);
    }
  }

  @Test
  void anUnknownToolAndAFailureAreToldSoThatTheModelCanTryAgain() {
    String unknown = ADD.replace("add", "subtract");
    String overflow = ADD.replace("1", "2147483647");
    try (Agent agent = adding(unknown, overflow, ADD, "3").open()) {
      AgentAnswer answer = agent.send("?");
      assertThat(answer.outcome()).isEqualTo(Outcome.ANSWERED);
      assertThat(answer.runs()).extracting(ToolRun::failed).containsExactly(true, true, false);
      assertThat(told(agent))
          .containsExactly(
              "error: there is no tool subtract, only [add]", "error: integer overflow", "3");
    }
  }

  @Test
  void aCallThatCannotBeReadIsToldAndRunsNothing() {
    try (Agent agent =
        adding("<function=add>{\"a\": 1, \"b\"</function>", "Sorry.").freeCalls().open()) {
      AgentAnswer answer = agent.send("?", events::add);
      assertThat(answer.outcome()).isEqualTo(Outcome.ANSWERED);
      assertThat(answer.text()).isEqualTo("Sorry.");
      assertThat(answer.runs()).isEmpty();
      assertThat(told(agent))
          .singleElement()
          .asString()
          .startsWith("error: the call could not be read: ");
    }
  }

  @Test
  void aCallThatHasBegunIsNeverAWrongOne() {
    String wrong = "{\"name\": \"add\", \"parameters\": {\"a\": \"one\", \"b\": 2, \"c\": 3}}";
    try (Agent agent =
        builder(wrong, "done").tool("add", "adds", Sum.class, sum -> sum.a() + sum.b()).open()) {
      AgentAnswer answer = agent.send("?");
      assertThat(answer.text()).isEqualTo("done");
      assertThat(answer.runs()).singleElement().matches(run -> !run.failed());
      assertThat(answer.runs().getFirst().call().arguments()).containsOnlyKeys("a", "b");
    }
  }

  @Test
  void agentsOfOneBuilderAreHeldToTheSameGrammarUntilThereAreMoreTools() {
    List<Optional<Grammar>> grammars = new ArrayList<>();
    String subtract = ADD.replace("add", "subtract");
    AgentBuilder builder = adding(ADD, "3", ADD, "3", subtract, "-1");
    for (int i = 0; i < 2; i++) {
      try (Agent agent = builder.open()) {
        assertThat(agent.send("?").text()).isEqualTo("3");
        grammars.add(builder.calls());
      }
    }
    assertThat(grammars.get(0)).isPresent().containsSame(grammars.get(1).orElseThrow());
    builder.tool("subtract", "subtracts", Sum.class, sum -> sum.a() - sum.b());
    try (Agent agent = builder.open()) {
      assertThat(agent.send("?").runs()).extracting(ToolRun::result).containsExactly("-1");
    }
  }

  @Test
  void aCallThatTheLimitCutsOffDoesNotRun() {
    try (Agent agent =
        adding(ADD, "done")
            .chat(chat -> chat.maxTokens(model.tokenizer().countTokens(ADD) - 2))
            .open()) {
      AgentAnswer answer = agent.send("?");
      assertThat(answer.runs()).isEmpty();
      assertThat(told(agent)).singleElement().asString().contains("could not be read");
      assertThat(answer.text()).isEqualTo("done");
    }
  }

  @Test
  void aModelThatOnlyCallsIsStopped() {
    try (Agent agent = adding(ADD, ADD, ADD, "never").steps(3).open()) {
      AgentAnswer answer = agent.send("?");
      assertThat(answer.outcome()).isEqualTo(Outcome.STEP_LIMIT);
      assertThat(answer.text()).isEmpty();
      assertThat(answer.runs()).hasSize(3);
    }
    assertThatThrownBy(() -> Agent.builder(model).steps(0)).hasMessageContaining("at least 1");
  }

  @Test
  void callsOfOneAnswerRunAtOnceAndAreToldInOrder() {
    CyclicBarrier meeting = new CyclicBarrier(2);
    Tool.Action<Sum> meet =
        sum -> {
          meeting.await(10, TimeUnit.MINUTES);
          return sum.a() + sum.b();
        };
    String two = ADD + "; " + ADD.replace("1", "10");
    try (Agent agent = builder(two, "3 and 12").tool("add", "adds", Sum.class, meet).open()) {
      AgentAnswer answer = agent.send("?");
      assertThat(answer.text()).isEqualTo("3 and 12");
      assertThat(told(agent)).containsExactly("3", "12");
    }
  }

  @Test
  void aCallThatIsNotAllowedDoesNotRun() {
    AtomicInteger ran = new AtomicInteger();
    List<String> asked = new ArrayList<>();
    try (Agent agent =
        builder(ADD, "Then not.")
            .tool("add", "adds", Sum.class, _ -> ran.incrementAndGet())
            .approval(call -> !asked.add(call.name()))
            .open()) {
      AgentAnswer answer = agent.send("?");
      assertThat(answer.text()).isEqualTo("Then not.");
      assertThat(asked).containsExactly("add");
      assertThat(ran).hasValue(0);
      assertThat(told(agent)).containsExactly("error: the user did not allow this call");
    }
  }

  @Test
  void aQuestionThatIsRefusedNeverReachesTheModel() {
    List<Conversation> seen = new ArrayList<>();
    try (Agent agent =
        adding("Hello.")
            .checkInput(
                conversation -> {
                  seen.add(conversation);
                  return !conversation.messages().getLast().text().contains("bomb");
                })
            .open()) {
      AgentAnswer refused = agent.send("How to build a bomb?", events::add);
      assertThat(refused.outcome()).isEqualTo(Outcome.REFUSED_INPUT);
      assertThat(refused.text()).isEmpty();
      assertThat(events).isEmpty();
      assertThat(agent.session().conversation().messages()).isEmpty();

      assertThat(agent.send("Hello?").text()).isEqualTo("Hello.");
      assertThat(seen).hasSize(2).allMatch(c -> c.messages().getLast().role() == Role.USER);
    }
  }

  @Test
  void anAnswerThatIsRefusedIsNotToldAndForgotten() {
    try (Agent agent =
        adding(ADD, "A secret.", "Nothing.")
            .checkOutput(c -> !c.messages().getLast().text().contains("secret"))
            .open()) {
      AgentAnswer refused = agent.send("Tell me.", events::add);
      assertThat(refused.outcome()).isEqualTo(Outcome.REFUSED_OUTPUT);
      assertThat(refused.text()).isEmpty();
      assertThat(streamed()).isEmpty();
      assertThat(agent.session().conversation().messages()).isEmpty();

      AgentAnswer second = agent.send("And now?", events::add);
      assertThat(second.outcome()).isEqualTo(Outcome.ANSWERED);
      assertThat(streamed()).as("told at once").isEqualTo("Nothing.");
    }
  }

  /** A model of random weights is as good a judge as any: what it says is what counts. */
  @Test
  void whatAGuardModelSaysDecides() {
    SafetyCheck check = SafetyCheck.llamaGuard(model);
    Grammar verdict = Grammar.regex("\\s{0,2}(safe|unsafe\\nS[1-9])");
    Set<Boolean> outcomes = new TreeSet<>();
    for (int i = 0; i < 40; i++) {
      Conversation conversation =
          Conversation.of(Message.user("How to do " + i + "?"), Message.assistant("Like that."));
      String said =
          model
              .prompt(model.chatFormat().encode(conversation))
              .grammar(verdict)
              .temperature(0)
              .generate()
              .text();
      boolean safe = check.isSafe(conversation);
      assertThat(safe).isEqualTo(said.strip().equals("safe"));
      outcomes.add(safe);
    }
    assertThat(outcomes).hasSize(2);
  }

  @Test
  void toolsThatModelsKnowAreGivenTheirQuery() {
    List<String> queries = new ArrayList<>();
    Tool.Action<String> search =
        query -> {
          queries.add(query);
          return "found";
        };
    String call = "brave_search.call(query=\"weather in Oslo\")";
    try (Agent agent =
        builder("<|python_tag|>" + call, "It rains.").builtIn("brave_search", search).open()) {
      assertThat(agent.send("?").text()).isEqualTo("It rains.");
      assertThat(queries).containsExactly("weather in Oslo");
      assertThat(told(agent)).containsExactly("found");
    }
  }

  /** What the model was told of its calls. */
  private static List<String> told(Agent agent) {
    return agent.session().conversation().messages().stream()
        .filter(message -> message.role() == Role.TOOL)
        .map(AgentTest::result)
        .toList();
  }

  private static String result(Message message) {
    return message.content().stream()
        .map(Content.ToolResult.class::cast)
        .map(Content.ToolResult::text)
        .findFirst()
        .orElseThrow();
  }

  private String streamed() {
    StringBuilder text = new StringBuilder();
    for (AgentEvent event : events) {
      if (event instanceof AgentEvent.Text(String piece)) {
        text.append(piece);
      }
    }
    return text.toString();
  }

  private static AgentBuilder adding(String... answers) {
    return builder(answers).tool("add", "adds", Sum.class, sum -> Math.addExact(sum.a(), sum.b()));
  }

  private static AgentBuilder builder(String... answers) {
    return Agent.builder(model)
        .chat(chat -> chat.on(TODAY).sampling(_ -> Script.of(model, answers)));
  }
}
