package org.llamaj.examples.cli;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.Set;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.KernelProvider;

/**
 * Starts the program a second time, with the Vector API, where that makes it faster: its module has
 * to be named when the JVM starts, which no manifest can do. Where there is other machine code for
 * all that a model needs, the program starts much faster without: no module graph with an incubator
 * module is kept in an AOT cache.
 */
final class Relaunch {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";
  private static final String DONE = "llamaj.relaunched";

  /** Kernels that need nothing, and those that need the Vector API. */
  private static final String SLOW = "scalar";

  private static final String FAST = "vector";

  /** First arguments of calls that compute nothing. */
  private static final Set<String> LIGHT =
      Set.of("tokenize", "synth", "help", "-h", "--help", "-V", "--version");

  private Relaunch() {}

  /** Thrown where a loaded model turns out to be slow in this JVM, to be run in another. */
  static final class Wanted extends RuntimeException {
    private static final long serialVersionUID = 1;

    Wanted() {
      super("run 'java --add-modules=" + VECTOR_MODULE + "': the model is slow without it");
    }
  }

  /**
   * The model, unless it would be faster in a second JVM.
   *
   * @throws Wanted if so; the model is then closed
   */
  static LlamaModel unlessSlow(LlamaModel model) {
    boolean helpedBySlow = !model.kernels().startsWith(SLOW) && model.kernels().contains(SLOW);
    if (helpedBySlow && isPossible()) {
      model.close();
      throw new Wanted();
    }
    return model;
  }

  /** Whether any command that computes would be slow in this JVM. */
  static boolean isNeeded(String... arguments) {
    return isPossible()
        && arguments.length > 0
        && !LIGHT.contains(arguments[0])
        && (List.of(arguments).contains(FAST) || isAskedFor(FAST) || !otherKernelsRun());
  }

  private static boolean isPossible() {
    String classPath = System.getProperty("java.class.path");
    return ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()
        && System.getProperty(DONE) == null
        && classPath.endsWith(".jar")
        && !classPath.contains(File.pathSeparator);
  }

  private static boolean isAskedFor(String kernels) {
    return kernels.equals(System.getProperty("llamaj.kernels"));
  }

  private static boolean otherKernelsRun() {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> !provider.name().equals(SLOW) && !provider.isDevice())
        .anyMatch(provider -> provider.unavailable().isEmpty());
  }

  /**
   * Runs the program in a second JVM.
   *
   * @return its exit status; empty if it cannot be started
   */
  static OptionalInt withFlags(String... arguments) {
    String classPath = System.getProperty("java.class.path");
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
    // The cache was made without the module and would not fit.
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> !flag.startsWith("-XX:AOTCache"))
        .forEach(command::add);
    command.add("-cp");
    command.add(jar);
    command.add(Llama.class.getName());
    command.addAll(List.of(arguments));
    return command;
  }
}
