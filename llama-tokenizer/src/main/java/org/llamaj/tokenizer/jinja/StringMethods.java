package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.llamaj.tokenizer.json.PythonStrings;
import org.llamaj.tokenizer.split.CodePoints;

/** The methods of strings. */
final class StringMethods {
  private StringMethods() {}

  static Callable method(String text, String name, Budget budget) {
    return switch (name) {
      case "upper" -> arguments -> text.toUpperCase(Locale.ROOT);
      case "lower", "casefold" -> arguments -> text.toLowerCase(Locale.ROOT);
      case "title" -> arguments -> title(text);
      case "capitalize" -> arguments -> capitalize(text);
      case "swapcase" -> arguments -> swapCase(text);
      case "strip" -> arguments -> strip(text, arguments.string(0, "chars", null), true, true);
      case "lstrip" -> arguments -> strip(text, arguments.string(0, "chars", null), true, false);
      case "rstrip" -> arguments -> strip(text, arguments.string(0, "chars", null), false, true);
      case "startswith" -> arguments -> affix(arguments, text::startsWith);
      case "endswith" -> arguments -> affix(arguments, text::endsWith);
      case "removeprefix" ->
          arguments -> {
            String prefix = arguments.requireString(0, "prefix");
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
          };
      case "removesuffix" ->
          arguments -> {
            String suffix = arguments.requireString(0, "suffix");
            return text.endsWith(suffix)
                ? text.substring(0, text.length() - suffix.length())
                : text;
          };
      case "replace" ->
          arguments ->
              replace(
                  text,
                  arguments.requireString(0, "old"),
                  arguments.requireString(1, "new"),
                  arguments.integer(2, "count", -1),
                  budget);
      case "split", "rsplit" ->
          arguments ->
              split(
                  text,
                  arguments.string(0, "sep", null),
                  arguments.integer(1, "maxsplit", -1),
                  name.equals("rsplit"),
                  budget);
      case "splitlines" -> arguments -> new ArrayList<Object>(text.lines().toList());
      case "partition" -> arguments -> partition(text, arguments.requireString(0, "sep"), false);
      case "rpartition" -> arguments -> partition(text, arguments.requireString(0, "sep"), true);
      case "join" -> arguments -> join(text, arguments.require(0, "iterable"), budget);
      case "find" -> arguments -> find(text, arguments, false);
      case "rfind" -> arguments -> find(text, arguments, true);
      case "index" ->
          arguments -> {
            long found = find(text, arguments, false);
            if (found < 0) {
              throw JinjaException.runtime("ValueError: substring not found");
            }
            return found;
          };
      case "count" -> arguments -> count(text, arguments.requireString(0, "sub"));
      case "format" -> arguments -> Formats.braces(text, arguments);
      case "zfill" -> arguments -> zeroFill(text, arguments.integer(0, "width", 0));
      case "center" -> arguments -> pad(text, arguments, 0.5);
      case "ljust" -> arguments -> pad(text, arguments, 0);
      case "rjust" -> arguments -> pad(text, arguments, 1);
      case "isdigit", "isdecimal", "isnumeric" -> arguments -> all(text, Character::isDigit);
      case "isalpha" -> arguments -> all(text, Character::isLetter);
      case "isalnum" -> arguments -> all(text, Character::isLetterOrDigit);
      case "isspace" -> arguments -> all(text, CodePoints::isPythonSpace);
      case "isupper" -> arguments -> isUpper(text);
      case "islower" -> arguments -> isLower(text);
      default -> null;
    };
  }

  static boolean isLower(String text) {
    return text.equals(text.toLowerCase(Locale.ROOT))
        && !text.equals(text.toUpperCase(Locale.ROOT));
  }

  static boolean isUpper(String text) {
    return text.equals(text.toUpperCase(Locale.ROOT))
        && !text.equals(text.toLowerCase(Locale.ROOT));
  }

  /** Each word's first letter as a title letter, the others in lower case. */
  static String title(String text) {
    StringBuilder result = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      result.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return result.toString();
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int end = text.offsetByCodePoints(0, 1);
    return Character.toString(Character.toTitleCase(text.codePointAt(0)))
        + text.substring(end).toLowerCase(Locale.ROOT);
  }

  /** Removes some characters, or white space if {@code characters} is null, at the ends. */
  static String strip(String text, String characters, boolean left, boolean right) {
    if (characters == null) {
      String start = left ? PythonStrings.stripStart(text) : text;
      return right ? PythonStrings.stripEnd(start) : start;
    }
    int start = 0;
    int end = text.length();
    while (left && start < end && characters.indexOf(text.codePointAt(start)) >= 0) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && end > start && characters.indexOf(text.codePointBefore(end)) >= 0) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  /** Replaces at most so many, or all if the count is negative. */
  static String replace(String text, String old, String with, int count, Budget budget) {
    long most = old.isEmpty() ? text.length() + 1L : text.length() / (long) old.length();
    long times = count < 0 ? most : Math.min(count, most);
    if (with.length() > old.length() && times > Budget.MOST_ITEMS) {
      times = count(text, old);
    }
    Budget.size(
        text.length() + times * Math.max(0, with.length() - old.length()), Budget.MOST_CHARACTERS);
    budget.work(text.length());
    if (count < 0) {
      return text.replace(old, with);
    }
    StringBuilder result = new StringBuilder();
    int at = 0;
    for (int done = 0; done < count; done++) {
      int found = text.indexOf(old, at);
      if (found < 0 || old.isEmpty()) {
        break;
      }
      result.append(text, at, found).append(with);
      at = found + old.length();
    }
    return result.append(text, at, text.length()).toString();
  }

  static String join(String separator, Object items, Budget budget) {
    StringBuilder result = new StringBuilder();
    boolean first = true;
    for (Object item : Values.items(items)) {
      if (!(item instanceof String part)) {
        throw JinjaException.runtime(
            "TypeError: expected str instance, %s found".formatted(Values.typeName(item)));
      }
      result.append(first ? "" : separator).append(part);
      budget.work(part.length());
      Budget.size(result.length(), Budget.MOST_CHARACTERS);
      first = false;
    }
    return result.toString();
  }

  static long count(String text, String part) {
    if (part.isEmpty()) {
      return text.codePointCount(0, text.length()) + 1L;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static List<Object> split(
      String text, String separator, int most, boolean fromRight, Budget budget) {
    budget.work(text.length());
    if (separator != null && separator.isEmpty()) {
      throw JinjaException.runtime("ValueError: empty separator");
    }
    List<Object> parts = new ArrayList<>();
    String rest = separator == null ? PythonStrings.strip(text) : text;
    if (separator == null && rest.isEmpty()) {
      return parts;
    }
    while (most < 0 || parts.size() < most) {
      int at = fromRight ? lastGap(rest, separator) : firstGap(rest, separator);
      if (at < 0) {
        break;
      }
      int length = separator == null ? 1 : separator.length();
      Budget.size(parts.size(), Budget.MOST_ITEMS);
      if (fromRight) {
        parts.addFirst(rest.substring(at + length));
        rest = rest.substring(0, at);
      } else {
        parts.add(rest.substring(0, at));
        rest = rest.substring(at + length);
      }
      budget.work(rest.length());
      if (separator == null) {
        rest = fromRight ? PythonStrings.stripEnd(rest) : PythonStrings.stripStart(rest);
      }
    }
    if (fromRight) {
      parts.addFirst(rest);
    } else {
      parts.add(rest);
    }
    return parts;
  }

  private static int firstGap(String text, String separator) {
    if (separator != null) {
      return text.indexOf(separator);
    }
    for (int i = 0; i < text.length(); i++) {
      if (CodePoints.isPythonSpace(text.charAt(i))) {
        return i;
      }
    }
    return -1;
  }

  private static int lastGap(String text, String separator) {
    if (separator != null) {
      return text.lastIndexOf(separator);
    }
    for (int i = text.length() - 1; i >= 0; i--) {
      if (CodePoints.isPythonSpace(text.charAt(i))) {
        return i;
      }
    }
    return -1;
  }

  private static Tuple partition(String text, String separator, boolean last) {
    if (separator.isEmpty()) {
      throw JinjaException.runtime("ValueError: empty separator");
    }
    int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (at < 0) {
      return last ? Tuple.of("", "", text) : Tuple.of(text, "", "");
    }
    return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
  }

  private static long find(String text, Arguments arguments, boolean last) {
    String part = arguments.requireString(0, "sub");
    int start = Math.clamp(arguments.integer(1, "start", 0), 0, text.length());
    int from = text.offsetByCodePoints(0, Math.min(start, text.codePointCount(0, text.length())));
    int at = last ? text.lastIndexOf(part) : text.indexOf(part, from);
    return at < from ? -1 : text.codePointCount(0, at);
  }

  private static boolean affix(Arguments arguments, Predicate<String> has) {
    Object affix = arguments.require(0, "prefix");
    if (affix instanceof Tuple several) {
      return several.stream().anyMatch(one -> one instanceof String s && has.test(s));
    }
    return has.test(arguments.requireString(0, "prefix"));
  }

  private static String zeroFill(String text, int width) {
    int missing = width - text.codePointCount(0, text.length());
    if (missing <= 0) {
      return text;
    }
    Budget.size(missing, Budget.MOST_CHARACTERS);
    int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
    return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
  }

  private static String pad(String text, Arguments arguments, double leftShare) {
    String fill = arguments.string(1, "fillchar", " ");
    return pad(text, arguments.integer(0, "width", 0), fill, leftShare);
  }

  /** Fills a text up to a width, a share of the filling on its left. */
  static String pad(String text, int width, String fill, double leftShare) {
    int missing = Math.max(0, width - text.codePointCount(0, text.length()));
    Budget.size((long) missing * fill.length(), Budget.MOST_CHARACTERS);
    int left = (int) (missing * leftShare);
    return fill.repeat(left) + text + fill.repeat(missing - left);
  }

  private static String swapCase(String text) {
    StringBuilder result = new StringBuilder();
    text.codePoints()
        .map(c -> Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c))
        .forEach(result::appendCodePoint);
    return result.toString();
  }

  private static boolean all(String text, IntPredicate predicate) {
    return !text.isEmpty() && text.codePoints().allMatch(predicate);
  }
}
