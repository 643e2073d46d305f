package org.llamaj.examples.features;

import java.lang.reflect.InvocationTargetException;

/** Runs an example by its name. */
public final class Features {
  private Features() {}

  /**
   * Runs an example.
   *
   * @param args name of the class in this package
   * @throws Exception whatever the example throws
   */
  public static void main(String[] args) throws Exception {
    if (args.length != 1) {
      System.err.println("usage: java -jar features.jar EXAMPLE, for example Villager");
      System.exit(2);
    }
    run(args[0]);
  }

  /** Runs the class of this name. */
  static void run(String example) throws Exception {
    Class<?> type = Class.forName(Features.class.getPackageName() + "." + example);
    try {
      type.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
