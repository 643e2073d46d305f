package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.tokenizer.json.PythonStrings;

/**
 * Tells text from tool calls in the model's answer as it arrives. It knows all the ways in which
 * models of the family write calls: JSON, function tags, Python lists, and, after {@code
 * <|python_tag|>} or {@code <|python_start|>}, built-in calls and code.
 *
 * <p>Feed it the decoded answer with special tokens shown, for they mark some of the calls; the
 * events never contain them. A parser belongs to one answer and one thread.
 */
public final class ToolCallParser {
  /** What the answer is taken for so far. */
  private enum Mode {
    /** Nothing but white space and headers yet, or too little to tell. */
    UNDECIDED,
    /** Text for the reader. */
    TEXT,
    /** JSON, function tags or a Python list. */
    CALL,
    /** After a marker for code: calls or code. */
    PYTHON
  }

  private static final Pattern BUILT_IN =
      Pattern.compile("(\\w+)\\.call\\(\\s*query\\s*=\\s*\"(.*)\"\\s*\\)", Pattern.DOTALL);

  private final StringBuilder pending = new StringBuilder();
  private final GrowingCalls growing = new GrowingCalls();
  private final List<ToolCallEvent> events = new ArrayList<>();
  private Mode mode = Mode.UNDECIDED;

  /** Starts before the answer. */
  public ToolCallParser() {}

  /**
   * Reads a whole answer.
   *
   * @param answer the decoded answer with special tokens shown
   * @return its calls in order; empty if it is text
   */
  public static List<Content.ToolCall> parse(String answer) {
    ToolCallParser parser = new ToolCallParser();
    List<ToolCallEvent> all = new ArrayList<>(parser.accept(answer));
    all.addAll(parser.finish());
    return all.stream()
        .filter(ToolCallEvent.Call.class::isInstance)
        .map(event -> ((ToolCallEvent.Call) event).call())
        .toList();
  }

  /**
   * Whether a tool or an argument of this name can be called in a Python list.
   *
   * @param name any text
   * @return true if it is an identifier and no keyword
   */
  public static boolean isPythonName(String name) {
    return PythonCalls.isName(name);
  }

  /**
   * Takes more of the answer.
   *
   * @param text the next piece of it
   * @return what it adds: text, or more of a call; may be empty
   */
  public List<ToolCallEvent> accept(String text) {
    pending.append(text);
    if (mode == Mode.UNDECIDED) {
      decide();
    }
    switch (mode) {
      case TEXT -> passText();
      case CALL, PYTHON -> growing.update(pending, mode == Mode.PYTHON, events);
      case UNDECIDED -> {}
    }
    return take();
  }

  /**
   * Ends the answer.
   *
   * @return the rest of the text, the calls, or what is malformed about them; may be empty
   */
  public List<ToolCallEvent> finish() {
    String rest = AnswerMarkers.withoutEnd(pending.toString());
    pending.setLength(0);
    switch (mode) {
      case TEXT -> text(rest);
      case UNDECIDED -> text(PythonStrings.strip(rest));
      case CALL -> finishCalls(rest);
      case PYTHON -> finishPython(rest);
    }
    return take();
  }

  private void decide() {
    String text = skipHeaders();
    if (text.isEmpty()) {
      return;
    }
    if (text.startsWith(AnswerMarkers.PYTHON_TAG) || text.startsWith(AnswerMarkers.PYTHON_START)) {
      mode = Mode.PYTHON;
      return;
    }
    if (AnswerMarkers.heldBackFrom(text) == 0) {
      if (text.startsWith(FunctionTags.OPEN)) {
        mode = Mode.CALL;
      }
      return;
    }
    switch (CallShape.of(text)) {
      case CALL -> mode = Mode.CALL;
      case TEXT -> mode = Mode.TEXT;
      case UNKNOWN -> {}
    }
  }

  /** Drops white space and an assistant header; empty if more of a header may come. */
  private String skipHeaders() {
    String text = PythonStrings.stripStart(pending.toString());
    for (String header : AnswerMarkers.HEADERS) {
      if (text.startsWith(header)) {
        pending.delete(0, pending.length() - text.length() + header.length());
        return skipHeaders();
      }
      if (header.startsWith(text)) {
        return "";
      }
    }
    return text;
  }

  private void passText() {
    String text = pending.toString();
    int marker = firstMarker(text);
    if (marker >= 0) {
      text(text.substring(0, marker));
      pending.delete(0, marker);
      mode = text.startsWith(FunctionTags.OPEN, marker) ? Mode.CALL : Mode.PYTHON;
      growing.update(pending, mode == Mode.PYTHON, events);
      return;
    }
    int keep = AnswerMarkers.heldBackFrom(text);
    text(text.substring(0, keep));
    pending.delete(0, keep);
  }

  private static int firstMarker(String text) {
    int first = -1;
    for (String marker : List.of(AnswerMarkers.PYTHON_TAG, FunctionTags.OPEN)) {
      int at = text.indexOf(marker);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    return first;
  }

  private void finishCalls(String raw) {
    String text = PythonStrings.strip(raw);
    try {
      List<Content.ToolCall> calls =
          text.startsWith("<")
              ? FunctionTags.parse(text)
              : text.startsWith("[") && CallShape.isPython(text)
                  ? PythonCalls.parse(text)
                  : CallShape.isBuiltIn(text) ? builtIn(text) : JsonCalls.parse(text);
      calls(calls);
    } catch (PythonCalls.NotCalls e) {
      malformed(raw, e.getMessage());
    }
  }

  private void finishPython(String raw) {
    String text = PythonStrings.stripStart(raw);
    boolean start = text.startsWith(AnswerMarkers.PYTHON_START);
    text = text.substring((start ? AnswerMarkers.PYTHON_START : AnswerMarkers.PYTHON_TAG).length());
    boolean ended = text.endsWith(AnswerMarkers.PYTHON_END);
    if (ended) {
      text = text.substring(0, text.length() - AnswerMarkers.PYTHON_END.length());
    }
    String call = PythonStrings.strip(text);
    try {
      calls(
          call.startsWith("[")
              ? PythonCalls.parse(call)
              : call.startsWith("{") ? JsonCalls.parse(call) : builtIn(call));
    } catch (PythonCalls.NotCalls e) {
      if (start && !ended) {
        malformed(text, "expected <|python_end|>");
      } else {
        Map<String, Object> code = Map.of("code", text);
        calls(List.of(new Content.ToolCall(ToolCallWriter.CODE_INTERPRETER, code)));
      }
    }
  }

  private static List<Content.ToolCall> builtIn(String text) throws PythonCalls.NotCalls {
    Matcher matcher = BUILT_IN.matcher(text);
    if (!matcher.matches()) {
      throw new PythonCalls.NotCalls("expected TOOL.call(query=\"...\")");
    }
    String query = matcher.group(2).replace("\\\"", "\"");
    return List.of(new Content.ToolCall(matcher.group(1), Map.of("query", query)));
  }

  private void calls(List<Content.ToolCall> calls) {
    calls.forEach(call -> events.add(new ToolCallEvent.Call(call)));
  }

  private void malformed(String raw, String reason) {
    if (growing.hasBegun()) {
      events.add(new ToolCallEvent.Malformed(raw, reason));
    } else {
      text(raw);
    }
  }

  private void text(String text) {
    if (!text.isEmpty()) {
      events.add(new ToolCallEvent.Text(text));
    }
  }

  private List<ToolCallEvent> take() {
    List<ToolCallEvent> taken = List.copyOf(events);
    events.clear();
    return taken;
  }
}
