package org.llamaj.examples.features;

import java.util.concurrent.atomic.AtomicBoolean;
import org.llamaj.LlamaModel;
import org.llamaj.SamplingOptions;
import org.llamaj.agent.Agent;
import org.llamaj.agent.AgentEvent;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.sampling.Temperature;
import org.llamaj.tokenizer.SpecialTokens;

/**
 * The tools that Llama 3.1 knows by name, done by Java. The small model of this repository was
 * never taught their names, so a step of the sampling chain makes the call in its place; what it
 * answers then is its own.
 */
public final class BuiltInTools {
  private static final String SYSTEM =
      """
      You are a helpful assistant.

      You have these tools:
      - brave_search(query): Current weather.
      - wolfram_alpha(query): Tells the time in a place.
      - code_interpreter(code): Count an item in the bag.
      To use a tool, reply only with {"name": tool name, "parameters": {argument: value}}.""";

  private BuiltInTools() {}

  /**
   * Asks for the weather, the time, and what is in a bag.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      ask(model, "What is the weather in Paris?", "brave_search.call(query=\"weather in Paris\")");
      ask(model, "What time is it in Paris?", "wolfram_alpha.call(query=\"time in Paris\")");
      ask(model, "How many ropes do I have?", "print(bag.count('rope'))");
    }
  }

  private static void ask(LlamaModel model, String question, String call) {
    SamplingStep first = says(model, "<|python_tag|>" + call + "<|eot_id|>");
    try (Agent agent =
        Agent.builder(model)
            .system(SYSTEM)
            .chat(chat -> chat.sampling(_ -> SamplingOptions.of(first, new Temperature(0))))
            .builtIn("brave_search", query -> "{\"sky\": \"sunny\", \"temperature\": 21}")
            .builtIn("wolfram_alpha", query -> "{\"time\": \"12:30\"}")
            .builtIn("code_interpreter", code -> "{\"count\": 3}")
            .open()) {
      System.out.println(agent.send(question, BuiltInTools::show).text());
    }
  }

  private static void show(AgentEvent event) {
    if (event instanceof AgentEvent.CallFinished(var run)) {
      System.out.println(run.call().name() + " " + run.call().arguments() + " -> " + run.result());
    }
  }

  /** Makes the first text that is generated this one. */
  private static SamplingStep says(LlamaModel model, String text) {
    int[] ids = model.tokenizer().encode(text, SpecialTokens.all());
    AtomicBoolean said = new AtomicBoolean();
    return _ -> {
      if (said.getAndSet(true)) {
        return _ -> {};
      }
      int[] next = {0};
      return candidates -> {
        int wanted = ids[next[0]++];
        candidates.removeIf((id, _) -> id != wanted);
      };
    };
  }
}
