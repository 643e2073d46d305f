package org.llamaj.examples.demomodel;

import java.io.InputStream;
import org.llamaj.LlamaModel;
import org.llamaj.ModelBuilder;

/**
 * Emberbrook-3M: 3.5 million parameters in the Llama 3 architecture and chat format. It plays
 * villagers whose facts stand in the system message, tells short stories, does small sums, writes
 * JSON and calls tools; its model card says how well. A demonstration, not a source of knowledge.
 *
 * <pre>{@code
 * try (LlamaModel model = DemoModel.builder().load()) {
 *   System.out.println(model.generate("Once there was a").text());
 * }
 * }</pre>
 */
public final class DemoModel {
  /** The name of the GGUF file. */
  public static final String FILE_NAME = "emberbrook-3m-q8_0.gguf";

  private DemoModel() {}

  /**
   * Begins to load the model.
   *
   * @return options to set, then {@link ModelBuilder#load}
   */
  public static ModelBuilder builder() {
    return LlamaModel.builder(DemoModel.class, FILE_NAME);
  }

  /**
   * Opens the GGUF file itself.
   *
   * @return to be closed by the caller
   */
  public static InputStream open() {
    return DemoModel.class.getResourceAsStream(FILE_NAME);
  }
}
