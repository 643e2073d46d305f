package org.llamaj.examples.features;

import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** What a generation was, in the names of OpenTelemetry's conventions. */
public final class Metrics {
  private Metrics() {}

  /**
   * Prints what a listener is told.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model =
        DemoModel.builder()
            .onGeneration(
                report -> {
                  report
                      .attributes()
                      .forEach((name, value) -> System.out.println(name + " " + value));
                  report.metrics().keySet().forEach(System.out::println);
                })
            .load()) {
      model.prompt("Once there was a").temperature(0).maxTokens(12).generate();
    }
  }
}
