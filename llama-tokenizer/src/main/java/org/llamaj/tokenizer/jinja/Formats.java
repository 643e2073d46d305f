package org.llamaj.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways to put values into a text: {@code %} and {@code str.format}. */
final class Formats {
  private static final Pattern PERCENT =
      Pattern.compile("%(?:\\((\\w+)\\))?([-0+ ]*)(\\d{1,4})?(?:\\.(\\d{1,3}))?([a-zA-Z%])");
  private static final Pattern BRACES =
      Pattern.compile("\\{\\{|}}|\\{(\\w*)(![rs])?(?::([^{}]*))?}|[{}]");
  private static final Pattern SPEC =
      Pattern.compile("([<>^]?)(0?)(\\d{0,4})(?:\\.(\\d{1,3}))?([sdfx]?)");

  private Formats() {}

  /** {@code format % values}. */
  static String percent(String format, Object values) {
    List<?> positional = values instanceof Tuple tuple ? tuple : List.of(nullable(values));
    Matcher matcher = PERCENT.matcher(format);
    StringBuilder out = new StringBuilder();
    int used = 0;
    int at = 0;
    for (int percent = format.indexOf('%'); percent >= 0; percent = format.indexOf('%', at)) {
      if (!matcher.find(percent) || matcher.start() != percent) {
        throw JinjaException.runtime("ValueError: incomplete format");
      }
      out.append(format, at, percent);
      at = matcher.end();
      char conversion = matcher.group(5).charAt(0);
      if (conversion == '%') {
        out.append('%');
        continue;
      }
      Object value;
      if (matcher.group(1) != null) {
        if (!(values instanceof Map<?, ?> map) || !map.containsKey(matcher.group(1))) {
          throw JinjaException.runtime("KeyError: '%s'".formatted(matcher.group(1)));
        }
        value = map.get(matcher.group(1));
      } else if (used < positional.size()) {
        value = values instanceof Tuple ? positional.get(used++) : values;
        used = values instanceof Tuple ? used : 1;
      } else {
        throw JinjaException.runtime("TypeError: not enough arguments for format string");
      }
      int precision = matcher.group(4) == null ? -1 : Integer.parseInt(matcher.group(4));
      String text = convert(value, conversion, precision);
      int width = matcher.group(3) == null ? 0 : Integer.parseInt(matcher.group(3));
      String flags = matcher.group(2);
      if (flags.indexOf('+') >= 0 && conversion != 's' && !text.startsWith("-")) {
        text = "+" + text;
      }
      boolean zeros = flags.indexOf('0') >= 0 && conversion != 's' && flags.indexOf('-') < 0;
      out.append(
          StringMethods.pad(text, width, zeros ? "0" : " ", flags.indexOf('-') >= 0 ? 0 : 1));
    }
    if (used < positional.size() && !(values instanceof Map<?, ?>)) {
      throw JinjaException.runtime("TypeError: not all arguments converted");
    }
    return out.append(format, at, format.length()).toString();
  }

  /** {@code format.format(...)}. */
  static String braces(String format, Arguments arguments) {
    Matcher matcher = BRACES.matcher(format);
    StringBuilder out = new StringBuilder();
    int next = 0;
    int at = 0;
    while (matcher.find()) {
      out.append(format, at, matcher.start());
      at = matcher.end();
      if (matcher.group(1) == null) {
        if (matcher.group().length() != 2) {
          throw JinjaException.runtime("ValueError: single brace in format string");
        }
        out.append(matcher.group().charAt(0));
        continue;
      }
      String field = matcher.group(1);
      String index = field.isEmpty() ? Integer.toString(next++) : field;
      Object value;
      if (index.matches("\\d{1,6}")) {
        if (Integer.parseInt(index) >= arguments.positional().size()) {
          throw JinjaException.runtime("IndexError: replacement index out of range");
        }
        value = arguments.positional().get(Integer.parseInt(index));
      } else {
        if (!arguments.named().containsKey(index)) {
          throw JinjaException.runtime("KeyError: '%s'".formatted(index));
        }
        value = arguments.named().get(index);
      }
      String spec = matcher.group(3) == null ? "" : matcher.group(3);
      out.append("!r".equals(matcher.group(2)) ? Printer.repr(value) : formatted(value, spec));
      Budget.size(out.length(), Budget.MOST_CHARACTERS);
    }
    return out.append(format, at, format.length()).toString();
  }

  private static String formatted(Object value, String spec) {
    if (spec.isEmpty()) {
      return Printer.str(value);
    }
    Matcher matcher = SPEC.matcher(spec);
    if (!matcher.matches()) {
      throw JinjaException.runtime("ValueError: the format '%s' is not supported".formatted(spec));
    }
    boolean number = Numbers.isNumber(value);
    char conversion =
        matcher.group(5).isEmpty()
            ? matcher.group(4) != null && number ? 'f' : 's'
            : matcher.group(5).charAt(0);
    int precision = matcher.group(4) == null ? -1 : Integer.parseInt(matcher.group(4));
    String text = convert(value, conversion, precision);
    int width = matcher.group(3).isEmpty() ? 0 : Integer.parseInt(matcher.group(3));
    double leftShare =
        switch (matcher.group(1)) {
          case "<" -> 0;
          case ">" -> 1;
          case "^" -> 0.5;
          default -> number ? 1 : 0;
        };
    return StringMethods.pad(text, width, matcher.group(2).isEmpty() ? " " : "0", leftShare);
  }

  private static String convert(Object value, char conversion, int precision) {
    switch (conversion) {
      case 's' -> {
        String text = Printer.str(value);
        return precision < 0
            ? text
            : text.substring(
                0,
                text.offsetByCodePoints(
                    0, Math.min(precision, text.codePointCount(0, text.length()))));
      }
      case 'r' -> {
        return Printer.repr(value);
      }
      case 'd', 'i' -> {
        return Numbers.toInteger(requireNumber(value), 0L, 10).toString();
      }
      case 'x' -> {
        return Numbers.big(value).toString(16);
      }
      case 'f' -> {
        double number = Numbers.real(requireNumber(value));
        return Double.isFinite(number)
            ? new BigDecimal(number)
                .setScale(precision < 0 ? 6 : precision, RoundingMode.HALF_EVEN)
                .toPlainString()
            : Printer.repr(number);
      }
      default ->
          throw JinjaException.runtime(
              "ValueError: the format character '%c' is not supported".formatted(conversion));
    }
  }

  private static Object requireNumber(Object value) {
    if (!Numbers.isNumber(value)) {
      throw JinjaException.runtime(
          "TypeError: a number is required, not " + Values.typeName(value));
    }
    return value;
  }

  /** {@link List#of} takes no null. */
  private static Object nullable(Object value) {
    return value == null ? "None" : value;
  }
}
