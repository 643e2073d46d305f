package org.llamaj.tokenizer.jinja;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.JsonWriter;

/** Filters that make or change text. */
final class TextFilters {
  private TextFilters() {}

  static void addTo(Map<String, Filters.Filter> filters) {
    filters.put("string", (value, arguments, budget) -> Printer.str(value));
    filters.put("safe", (value, arguments, budget) -> Printer.str(value));
    for (String name : new String[] {"e", "escape", "forceescape"}) {
      filters.put(name, (value, arguments, budget) -> escape(Printer.str(value)));
    }
    for (String name : new String[] {"upper", "lower", "title", "capitalize"}) {
      filters.put(
          name,
          (value, arguments, budget) ->
              StringMethods.method(Printer.str(value), name, budget).call(Arguments.NONE));
    }
    filters.put(
        "trim",
        (value, arguments, budget) ->
            StringMethods.strip(
                Printer.str(value), arguments.string(0, "chars", null), true, true));
    filters.put(
        "replace",
        (value, arguments, budget) ->
            StringMethods.replace(
                Printer.str(value),
                Printer.str(arguments.require(0, "old")),
                Printer.str(arguments.require(1, "new")),
                arguments.get(2, "count", null) == null ? -1 : arguments.integer(2, "count", -1),
                budget));
    filters.put("indent", TextFilters::indent);
    filters.put("truncate", TextFilters::truncate);
    filters.put(
        "center",
        (value, arguments, budget) ->
            StringMethods.pad(Printer.str(value), arguments.integer(0, "width", 80), " ", 0.5));
    filters.put(
        "wordcount",
        (value, arguments, budget) ->
            Printer.str(value).splitWithDelimiters("[\\p{L}\\p{N}_]+", 0).length / 2L);
    filters.put(
        "format",
        (value, arguments, budget) ->
            Formats.percent(
                Printer.str(value),
                arguments.named().isEmpty()
                    ? new Tuple(arguments.positional())
                    : arguments.named()));
    filters.put(
        "urlencode",
        (value, arguments, budget) ->
            URLEncoder.encode(Printer.str(value), StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("%2F", "/"));
    filters.put("tojson", (value, arguments, budget) -> toJson(value, arguments));
  }

  private static String escape(String text) {
    Budget.size(text.length() * 5L, Budget.MOST_CHARACTERS);
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&#34;")
        .replace("'", "&#39;");
  }

  private static Object indent(Object value, Arguments arguments, Budget budget) {
    Object width = arguments.get(0, "width", 4L);
    String indent = width instanceof String s ? s : " ".repeat(count(width));
    boolean first = arguments.truth(1, "first", false);
    boolean blank = arguments.truth(2, "blank", false);
    String[] lines = Printer.str(value).split("\n", -1);
    Budget.size((long) lines.length * indent.length(), Budget.MOST_CHARACTERS);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.length; i++) {
      out.append(i == 0 ? "" : "\n");
      boolean wanted = i == 0 ? first : blank || !lines[i].isEmpty();
      out.append(wanted ? indent : "").append(lines[i]);
    }
    return out.toString();
  }

  private static int count(Object width) {
    return Budget.size(Math.max(0, Numbers.index(width)), 10_000);
  }

  private static Object truncate(Object value, Arguments arguments, Budget budget) {
    String text = Printer.str(value);
    int length = arguments.integer(0, "length", 255);
    boolean killWords = arguments.truth(1, "killwords", false);
    String end = arguments.string(2, "end", "...");
    Object leeway = arguments.get(3, "leeway", null);
    int allowed = leeway == null ? 5 : Numbers.index(leeway);
    int size = text.codePointCount(0, text.length());
    if (size <= (long) length + allowed) {
      return text;
    }
    int kept = Math.clamp((long) length - end.length(), 0, size);
    String start = text.substring(0, text.offsetByCodePoints(0, kept));
    int space = start.lastIndexOf(' ');
    return (killWords || space < 0 ? start : start.substring(0, space)) + end;
  }

  private static String toJson(Object value, Arguments arguments) {
    Undefined.require(value);
    boolean ascii = arguments.truth(4, "ensure_ascii", false);
    Object indent = arguments.get(0, "indent", null);
    Object separators = arguments.get(1, "separators", null);
    String item = indent == null ? ", " : ",";
    String key = ": ";
    if (separators instanceof List<?> pair
        && pair.size() == 2
        && pair.getFirst() instanceof String first
        && pair.getLast() instanceof String second) {
      item = first;
      key = second;
    }
    String indentText =
        indent == null ? null : indent instanceof String s ? s : " ".repeat(count(indent));
    boolean sorted = Values.truth(arguments.named().getOrDefault("sort_keys", false));
    try {
      return new JsonWriter(ascii, indentText, item, key, sorted).write(value);
    } catch (TokenizerException e) {
      throw JinjaException.runtime(e.getMessage());
    }
  }
}
