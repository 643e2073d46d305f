package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.List;
import org.llamaj.tokenizer.json.PythonStrings;

/** Reads <code>&lt;function=f&gt;{"a": 1}&lt;/function&gt;</code>, one or several. */
final class FunctionTags {
  static final String OPEN = "<function=";
  private static final String CLOSE = "</function>";

  private FunctionTags() {}

  static List<Content.ToolCall> parse(String text) throws PythonCalls.NotCalls {
    List<Content.ToolCall> calls = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      if (!text.startsWith(OPEN, at)) {
        throw new PythonCalls.NotCalls("expected <function=NAME>");
      }
      int nameEnd = text.indexOf('>', at);
      String name = nameEnd < 0 ? "" : text.substring(at + OPEN.length(), nameEnd);
      if (name.isBlank()) {
        throw new PythonCalls.NotCalls("expected the name of a function");
      }
      int argumentsEnd = argumentsEnd(text, nameEnd + 1);
      int close = argumentsEnd;
      while (close < text.length() && Character.isWhitespace(text.charAt(close))) {
        close++;
      }
      // The end of generation may have cut the closing tag off.
      if (close < text.length() && !text.startsWith(CLOSE, close)) {
        throw new PythonCalls.NotCalls("expected </function> after the arguments");
      }
      calls.add(
          new Content.ToolCall(
              name.strip(), JsonCalls.arguments(text.substring(nameEnd + 1, argumentsEnd))));
      at = Math.min(text.length(), close + CLOSE.length());
      at += text.length() - at - PythonStrings.stripStart(text.substring(at)).length();
    }
    return calls;
  }

  private static int argumentsEnd(String text, int from) throws PythonCalls.NotCalls {
    Brackets brackets = new Brackets(false);
    for (int i = from; i < text.length(); i++) {
      brackets.accept(text.charAt(i));
      if (brackets.isClosed()) {
        return i + 1;
      }
      if (brackets.depth() == 0 && !Character.isWhitespace(text.charAt(i))) {
        break;
      }
    }
    throw new PythonCalls.NotCalls("expected a JSON object with the arguments");
  }
}
