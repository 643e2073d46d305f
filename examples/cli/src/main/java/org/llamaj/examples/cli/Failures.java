package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import java.util.OptionalInt;
import org.llamaj.LlamaException;
import org.llamaj.tokenizer.TokenizerException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Tells a failure in one sentence. Only what nobody foresaw comes with a stack trace. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  private static final int FAILED = 1;

  /** The status of a call that makes no command. */
  static final int MISUSED = 2;

  private final Llama options;

  Failures(Llama options) {
    this.options = options;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine command, ParseResult arguments) {
    if (failure instanceof Relaunch.Wanted) {
      OptionalInt status = Relaunch.withFlags(arguments.originalArgs().toArray(String[]::new));
      if (status.isPresent()) {
        return status.getAsInt();
      }
    }
    Optional<String> message = message(failure);
    String text = message.orElseGet(failure::toString);
    command.getErr().println(command.getColorScheme().errorText("llama: " + text));
    if (message.isEmpty() || options.isVerbose()) {
      failure.printStackTrace(command.getErr());
    }
    return FAILED;
  }

  /** Tells what is no exception: mostly that there is no memory. */
  static int tell(Error failure, PrintWriter err) {
    err.println("llama: " + failure);
    if (failure instanceof OutOfMemoryError) {
      err.println("LLAMA_JAVA_OPTS=-Xmx2g, for example, gives the program more memory.");
    } else {
      failure.printStackTrace(err);
    }
    return FAILED;
  }

  /** What a person can act on; empty for what nobody foresaw. */
  private static Optional<String> message(Exception failure) {
    return switch (failure) {
      case NoSuchFileException e -> Optional.of(e.getFile() + ": no such file or folder");
      case AccessDeniedException e -> Optional.of(e.getFile() + ": access is denied");
      case UncheckedIOException e -> message(e.getCause());
      case LlamaException _, TokenizerException _, IOException _ ->
          Optional.ofNullable(failure.getMessage());
      default -> Optional.empty();
    };
  }

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine command = failure.getCommandLine();
    String text = "llama: " + failure.getMessage();
    command.getErr().println(command.getColorScheme().errorText(text));
    UnmatchedArgumentException.printSuggestions(failure, command.getErr());
    String name = command.getCommandSpec().qualifiedName();
    command.getErr().printf("'%s --help' tells what it takes.%n", name);
    return MISUSED;
  }
}
