package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
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
    String message = failure.getMessage();
    boolean foreseen =
        message != null
            && switch (failure) {
              case LlamaException _, TokenizerException _ -> true;
              case IOException _, UncheckedIOException _ -> true;
              default -> false;
            };
    String text = foreseen ? message : failure.toString();
    command.getErr().println(command.getColorScheme().errorText("llama: " + text));
    if (!foreseen || options.isVerbose()) {
      failure.printStackTrace(command.getErr());
    }
    return FAILED;
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
