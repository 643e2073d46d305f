package org.llamaj;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Tiny models of this repository: most have random weights and are test resources. */
public final class TestModels {
  private TestModels() {}

  /** Two layers, vocabulary 512, Llama 3 vocabulary and chat template, F32. */
  public static Path small() {
    return resource("/golden/text/rope-linear-F32/model.gguf");
  }

  /** Llama 3.2's proportions in small, Q8_0. */
  public static Path quantised() {
    return resource("/golden/text/llama32-bpe-Q8_0/model.gguf");
  }

  /** Llama 2's vocabulary and proportions in small, F32. */
  public static Path llama2() {
    return resource("/golden/text/llama2-spm-F32/model.gguf");
  }

  /** The trained model of the examples, Q8_0. */
  public static Path demo() {
    return Path.of(
        "../examples/demo-model/src/main/resources/org/llamaj/examples/demomodel",
        "emberbrook-3m-q8_0.gguf");
  }

  private static Path resource(String name) {
    try {
      return Path.of(TestModels.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
