package org.llamaj.examples.features;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import org.llamaj.LlamaModel;
import org.llamaj.SamplingOptions;
import org.llamaj.agent.Agent;
import org.llamaj.agent.AgentAnswer;
import org.llamaj.agent.AgentEvent;
import org.llamaj.agent.ToolRun;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.sampling.Temperature;
import org.llamaj.tokenizer.SpecialTokens;

/**
 * Two calls in one answer run at once. The small model of this repository was taught to make one
 * call at a time, so a step of the sampling chain writes both in its place; what it answers then is
 * its own.
 */
public final class SeveralCalls {
  private SeveralCalls() {}

  /** What to count. */
  record Item(String item) {}

  /**
   * Asks for two things of which each waits for the other.
   *
   * @param args none
   */
  public static void main(String[] args) {
    CyclicBarrier meeting = new CyclicBarrier(2);
    try (LlamaModel model = DemoModel.builder().load();
        Agent agent =
            Agent.builder(model)
                .system("You are a helpful assistant.")
                .chat(
                    chat ->
                        chat.sampling(
                            _ ->
                                SamplingOptions.of(
                                    says(model, call("rope") + "; " + call("candle")),
                                    new Temperature(0))))
                .tool(
                    "count_item",
                    "count an item in the bag",
                    Item.class,
                    item -> {
                      meeting.await();
                      return "{\"count\": " + item.item().length() + "}";
                    })
                .open()) {
      AgentAnswer answer = agent.send("How many ropes and candles do I have?", SeveralCalls::show);
      for (ToolRun run : answer.runs()) {
        System.out.println(run.call().arguments() + " -> " + run.result());
      }
      System.out.println(answer.text());
    }
  }

  private static String call(String item) {
    return "{\"name\": \"count_item\", \"parameters\": {\"item\": \"%s\"}}".formatted(item);
  }

  private static void show(AgentEvent event) {
    if (event instanceof AgentEvent.CallStarted(var call)) {
      System.out.println(call.name() + " " + call.arguments());
    }
  }

  /** Makes the first text that is generated this one. */
  private static SamplingStep says(LlamaModel model, String text) {
    int[] ids = model.tokenizer().encode(text + "<|eot_id|>", SpecialTokens.all());
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
