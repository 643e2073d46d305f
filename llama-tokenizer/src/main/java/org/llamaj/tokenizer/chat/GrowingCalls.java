package org.llamaj.tokenizer.chat;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the calls in an answer that is not complete, and what has arrived of their arguments. */
final class GrowingCalls {
  /** What comes before the arguments; the group is the name. */
  private static final Pattern BEGIN =
      Pattern.compile(
          "\\{\\s*(?:\"type\"\\s*:\\s*\"function\"\\s*,\\s*)?\"name\"\\s*:\\s*\"([^\"\\\\]+)\""
              + "\\s*,\\s*\"(?:parameters|arguments)\"\\s*:\\s*(?=\\{)"
              + "|<function=([^<>]+)>\\s*(?=\\{)"
              + "|(?<=[\\[,]|[\\[,] )\\s*([\\p{L}_][\\p{L}\\p{N}_]*)\\s*(?=\\()"
              + "|([\\p{L}_]\\w*)\\.call(?=\\()");

  /** How far a beginning is looked for; a text so long without one gets no growing calls. */
  private static final int LOOK_AHEAD = 4096;

  private int index = -1;
  private String name;
  private Brackets brackets;
  private int read;

  /** Whether it is clear that no call grows here: what arrives is code, or too long a preface. */
  private boolean settled;

  /** Whether any call has begun. */
  boolean hasBegun() {
    return index >= 0;
  }

  /** Reads on in a text that has grown at its end. */
  void update(CharSequence text, boolean python, List<ToolCallEvent> events) {
    while (!settled && read < text.length()) {
      if (brackets == null && !begin(text, python, events)) {
        return;
      }
      int from = read;
      while (read < text.length() && !brackets.isClosed()) {
        brackets.accept(text.charAt(read++));
      }
      if (read > from) {
        String fragment = text.subSequence(from, read).toString();
        events.add(new ToolCallEvent.Growing(index, name, fragment));
      }
      if (brackets.isClosed()) {
        brackets = null;
      }
    }
  }

  private boolean begin(CharSequence text, boolean python, List<ToolCallEvent> events) {
    Matcher matcher = BEGIN.matcher(text);
    matcher.useTransparentBounds(true);
    matcher.region(read, Math.min(text.length(), read + LOOK_AHEAD));
    if (!matcher.find()) {
      settled = text.length() - read > LOOK_AHEAD;
      return false;
    }
    if (python && index < 0 && !startsCode(text, matcher.start())) {
      settled = true;
      return false;
    }
    for (int group = 1; group <= matcher.groupCount(); group++) {
      if (matcher.group(group) != null) {
        name = matcher.group(group);
      }
    }
    index++;
    brackets = new Brackets(matcher.group(3) != null);
    read = matcher.end();
    events.add(new ToolCallEvent.Growing(index, name, ""));
    return true;
  }

  /** Whether nothing but the marker and a list's bracket is before a place: else it is code. */
  private static boolean startsCode(CharSequence text, int place) {
    String before = text.subSequence(0, place).toString();
    return before.matches("\\s*<\\|python_(?:tag|start)\\|>\\s*\\[?\\s*");
  }
}
