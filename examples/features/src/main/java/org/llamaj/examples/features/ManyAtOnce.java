package org.llamaj.examples.features;

import java.util.List;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** Many prompts together: they share forward passes, and the results come in order. */
public final class ManyAtOnce {
  private ManyAtOnce() {}

  /**
   * Continues three stories.
   *
   * @param args none
   * @throws InterruptedException if the thread is interrupted
   */
  public static void main(String[] args) throws InterruptedException {
    List<String> beginnings =
        List.of("Once there was a brave fox", "Once there was a tiny owl", "Once there was a wise");
    try (LlamaModel model = DemoModel.builder().load()) {
      List<Generation> stories =
          model.batch(beginnings).temperature(0).maxTokens(12).concurrency(8).generate();
      for (int i = 0; i < stories.size(); i++) {
        System.out.println(beginnings.get(i) + stories.get(i).text());
      }
    }
  }
}
