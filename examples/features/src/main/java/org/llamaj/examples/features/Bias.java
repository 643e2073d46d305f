package org.llamaj.examples.features;

import java.util.HashMap;
import java.util.Map;
import org.llamaj.GenerationRequest;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.sampling.LogitBias;

/** Makes tokens more or less probable, or impossible. */
public final class Bias {
  private Bias() {}

  /**
   * Tells stories.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      GenerationRequest story = model.prompt("Once there was a").temperature(0).maxTokens(14);
      System.out.println("plain: " + story.generate().text());

      LogitBias owls = bias(model, Map.of(" owl", 4f));
      System.out.println("owls:  " + story.sampling(s -> s.with(owls)).generate().text());

      LogitBias others =
          bias(
              model, Map.of(" brave", Float.NEGATIVE_INFINITY, " farmer", Float.NEGATIVE_INFINITY));
      System.out.println("others:" + story.sampling(s -> s.with(others)).generate().text());
    }
  }

  /** The bias of words that are one token each. */
  private static LogitBias bias(LlamaModel model, Map<String, Float> words) {
    Map<Integer, Float> bias = new HashMap<>();
    words.forEach((word, value) -> bias.put(model.tokenizer().encode(word)[0], value));
    return new LogitBias(bias);
  }
}
