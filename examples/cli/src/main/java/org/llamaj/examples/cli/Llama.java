package org.llamaj.examples.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program {@code llama}. */
@Command(
    name = "llama",
    description = "Runs Meta's Llama models in the JVM.",
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "'llama COMMAND --help' tells the options of a command."})
public final class Llama implements Callable<Integer> {
  private static final List<Class<?>> COMMANDS =
      List.of(
          DemoCommand.class,
          ChatCommand.class,
          GenerateCommand.class,
          DescribeCommand.class,
          TokenizeCommand.class,
          InspectCommand.class,
          LogitsCommand.class,
          BenchCommand.class,
          SynthCommand.class,
          QuantizeCommand.class,
          DownloadCommand.class,
          ImatrixCommand.class,
          ConvertCommand.class,
          RehearseCommand.class);

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  private boolean version;

  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Show the stack traces of failures.")
  private boolean verbose;

  @Spec private CommandSpec spec;

  private Llama() {}

  /** Without a command, tells which there are. */
  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return Failures.MISUSED;
  }

  boolean isVerbose() {
    return verbose;
  }

  /**
   * Runs a command and ends the JVM: with status 0 when it succeeded, 1 when it failed, 2 when the
   * arguments make no command.
   *
   * @param arguments the command and its options
   */
  public static void main(String... arguments) {
    // Kernels are looked for while the command line is made: each takes a tenth of a second.
    FutureTask<Boolean> relaunch = new FutureTask<>(() -> Relaunch.isNeeded(arguments));
    Thread.ofPlatform().daemon().start(relaunch);
    CommandLine line = commandLine(arguments);
    OptionalInt status = isTrue(relaunch) ? Relaunch.withFlags(arguments) : OptionalInt.empty();
    System.exit(status.orElseGet(() -> runAndFlush(line, arguments)));
  }

  private static boolean isTrue(Future<Boolean> condition) {
    try {
      return condition.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static int runAndFlush(CommandLine line, String... arguments) {
    try (PrintWriter out = writer(FileDescriptor.out);
        PrintWriter err = writer(FileDescriptor.err)) {
      return run(line.setOut(out).setErr(err), arguments);
    }
  }

  /** Runs the command line; what ends the JVM's patience is told, too, while there is an output. */
  static int run(CommandLine line, String... arguments) {
    try {
      return line.execute(arguments);
    } catch (Error e) {
      return Failures.tell(e, line.getErr());
    }
  }

  /** The program, to be executed with these arguments and any output. */
  static CommandLine commandLine(String... arguments) {
    Llama llama = new Llama();
    CommandLine line = new CommandLine(llama);
    commands(arguments).forEach(line::addSubcommand);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpAutoWidth(true);
    Failures failures = new Failures(llama);
    line.setExecutionExceptionHandler(failures);
    line.setParameterExceptionHandler(failures);
    return line;
  }

  /**
   * The command that the first argument names, or all: making them, for a call of one, took a tenth
   * of the time to the first token.
   */
  private static List<Class<?>> commands(String... arguments) {
    return COMMANDS.stream()
        .filter(command -> arguments.length > 0 && name(command).equals(arguments[0]))
        .findFirst()
        .<List<Class<?>>>map(List::of)
        .orElse(COMMANDS);
  }

  private static String name(Class<?> command) {
    return command.getAnnotation(Command.class).name();
  }

  /** UTF-8 wherever programs read it; only the Windows console wants its own character set. */
  private static PrintWriter writer(FileDescriptor descriptor) {
    boolean windows = System.getProperty("os.name").startsWith("Windows");
    Charset charset =
        windows && Terminal.isInteractive() ? System.out.charset() : StandardCharsets.UTF_8;
    return new PrintWriter(new FileOutputStream(descriptor), true, charset);
  }
}
