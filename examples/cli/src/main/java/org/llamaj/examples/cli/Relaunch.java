package org.llamaj.examples.cli;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Starts the program a second time with the flags that fast arithmetic needs. A jar's manifest can
 * grant native access, but cannot add the Vector API's module, which the JVM wants to know at its
 * start. The launcher script passes the flags itself, so this is for {@code java -jar}.
 */
final class Relaunch {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";
  private static final String DONE = "llamaj.relaunched";

  /** First arguments of calls that compute nothing. */
  private static final Set<String> LIGHT =
      Set.of("tokenize", "synth", "help", "-h", "--help", "-V", "--version");

  private Relaunch() {}

  /**
   * Runs the program in a second JVM if that makes it faster.
   *
   * @return the exit status of the second JVM; empty if the program shall run in this one
   */
  static OptionalInt withFlags(String... arguments) {
    String classPath = System.getProperty("java.class.path");
    boolean worthwhile =
        ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()
            && System.getProperty(DONE) == null
            && arguments.length > 0
            && !LIGHT.contains(arguments[0])
            && classPath.endsWith(".jar")
            && !classPath.contains(File.pathSeparator);
    if (!worthwhile) {
      return OptionalInt.empty();
    }
    try {
      // Ctrl-C reaches both JVMs; what it means is the business of the second.
      Interrupts.ignore();
      Process process = new ProcessBuilder(command(classPath, arguments)).inheritIO().start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
      return OptionalInt.of(process.waitFor());
    } catch (IOException e) {
      return OptionalInt.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return OptionalInt.of(1);
    }
  }

  private static List<String> command(String jar, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-modules=" + VECTOR_MODULE);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-D" + DONE);
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-cp");
    command.add(jar);
    command.add(Llama.class.getName());
    command.addAll(List.of(arguments));
    return command;
  }
}
