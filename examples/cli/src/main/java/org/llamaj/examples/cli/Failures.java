package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.llamaj.LlamaException;
import org.llamaj.tokenizer.TokenizerException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Tells a failure in one sentence. Only what nobody foresaw comes with a stack trace. */
final class Failures implements IExecutionExceptionHandler {
  private static final int FAILED = 1;

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
}
