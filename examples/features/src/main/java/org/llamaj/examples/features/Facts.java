package org.llamaj.examples.features;

import org.llamaj.LlamaModel;
import org.llamaj.ModelInfo;
import org.llamaj.examples.demomodel.DemoModel;

/** What a model's files say about it. */
public final class Facts {
  private Facts() {}

  /**
   * Prints what is known.
   *
   * @param args none
   */
  public static void main(String[] args) {
    try (LlamaModel model = DemoModel.builder().load()) {
      ModelInfo info = model.info();
      System.out.println("name         " + info.name());
      System.out.println("architecture " + info.architecture());
      System.out.printf("parameters   %,d%n", info.parameters());
      System.out.println("context      " + info.contextLength());
      System.out.println("licence      " + info.licence().orElse("unknown"));
      System.out.println("quantisation " + info.quantisation());
      System.out.println("chat format  " + info.chatFormat().orElse("none"));
    }
  }
}
