package org.llamaj.examples.features;

import org.llamaj.LlamaModel;
import org.llamaj.agent.Agent;
import org.llamaj.agent.AgentEvent;
import org.llamaj.examples.demomodel.DemoModel;

/** The model calls Java, and answers with what it is told. */
public final class Tools {
  private Tools() {}

  /** Where. */
  record City(String city) {}

  /** What to roll. */
  record Die(int sides) {}

  /** How it is there. */
  record Weather(String sky, int temperature) {}

  /**
   * Asks for the weather, and for a throw.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load();
        Agent agent =
            Agent.builder(model)
                .system("You are a helpful assistant.")
                .chat(chat -> chat.temperature(0))
                .tool("get_weather", "weather of a city", City.class, _ -> new Weather("sunny", 21))
                .tool("roll_dice", "roll a die", Die.class, die -> "{\"result\": 17}")
                .approval(call -> !call.name().equals("format_disk"))
                .open()) {
      agent.send("What is the weather in Paris?", Tools::show);
      System.out.println();
      agent.send("Roll a die with 20 sides.", Tools::show);
      System.out.println();
    }
  }

  private static void show(AgentEvent event) {
    switch (event) {
      case AgentEvent.Text text -> System.out.print(text.text());
      case AgentEvent.CallStarted call ->
          System.out.println(call.call().name() + " " + call.call().arguments());
      case AgentEvent.CallFinished finished -> System.out.println("-> " + finished.run().result());
    }
  }
}
