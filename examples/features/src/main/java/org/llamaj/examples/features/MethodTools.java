package org.llamaj.examples.features;

import java.util.List;
import java.util.Map;
import org.llamaj.LlamaModel;
import org.llamaj.agent.Agent;
import org.llamaj.agent.AgentAnswer;
import org.llamaj.agent.AgentBuilder;
import org.llamaj.agent.Tool;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.schema.Description;
import org.llamaj.tokenizer.chat.Content;

/** Methods as tools; a call that fails, one that a person does not allow, and too many. */
public final class MethodTools {
  private MethodTools() {}

  /** What can be done in a village. Compiled with {@code -parameters}, which keeps their names. */
  public static final class Village {
    private Village() {}

    /**
     * Adds.
     *
     * @param a a number
     * @param b another one
     * @return their sum
     */
    @Description("Add two numbers")
    public int add(int a, int b) {
      return a + b;
    }

    /**
     * Buys.
     *
     * @param item what
     * @param count how many
     * @return what was paid
     */
    @Description("Buys things in the shop")
    public Map<String, Integer> buy(String item, @Description("at most 5") int count) {
      if (count > 5) {
        throw new IllegalArgumentException("only 5 are left");
      }
      return Map.of("paid", 7 * count);
    }

    /**
     * Opens a door.
     *
     * @param place which
     * @return whether it is open
     */
    @Description("Unlocks a door")
    public boolean unlock(String place) {
      return true;
    }
  }

  /**
   * Asks for several things.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load();
        Agent agent = village(model).open();
        Agent hasty = village(model).steps(1).open()) {
      for (String text : List.of("What is 17 plus 25?", "Buy 9 swords.", "Unlock the mill.")) {
        System.out.println(text);
        show(agent.send(text));
      }
      System.out.println(hasty.send("What is 17 plus 25?").outcome());
    }
  }

  private static AgentBuilder village(LlamaModel model) {
    return Agent.builder(model)
        .system("You are a helpful assistant.")
        .chat(chat -> chat.temperature(0))
        .tools(Tool.methodsOf(new Village()))
        .approval(MethodTools::isAllowed);
  }

  /** Stands for a person who is asked. */
  private static boolean isAllowed(Content.ToolCall call) {
    return !call.name().equals("unlock");
  }

  private static void show(AgentAnswer answer) {
    answer
        .runs()
        .forEach(
            run ->
                System.out.println(
                    "  " + run.call().name() + run.call().arguments() + " -> " + run.result()));
    System.out.println("  " + answer.text());
  }
}
