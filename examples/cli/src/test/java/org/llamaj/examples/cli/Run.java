package org.llamaj.examples.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/**
 * A command that has run.
 *
 * @param status what the program would end with
 * @param out what it printed
 * @param err what it complained of
 */
record Run(int status, String out, String err) {

  static Run of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = Llama.commandLine(arguments);
    line.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
    line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int status = Llama.run(line, arguments);
    return new Run(status, out.toString(), err.toString());
  }
}
