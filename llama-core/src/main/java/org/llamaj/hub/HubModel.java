package org.llamaj.hub;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model on the Hub, written {@code hf:owner/name}, {@code hf:owner/name@revision}, {@code
 * hf:owner/name:Q4_K_M} (the GGUF file of that quantisation) or {@code hf:owner/name/file.gguf}.
 *
 * @param repository owner and name
 * @param revision a branch, tag or commit; {@code main} unless given
 * @param quantisation chooses one of several GGUF files by its name
 * @param file chooses a file
 */
public record HubModel(
    String repository, String revision, Optional<String> quantisation, Optional<String> file) {
  private static final String PREFIX = "hf:";
  private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
  private static final Pattern MODEL =
      Pattern.compile(
          "hf:(%1$s/%1$s)(?:@([A-Za-z0-9][A-Za-z0-9._-]{0,199}))?(?::([A-Za-z0-9_]+)|/(.+))?"
              .formatted(NAME));

  /**
   * Whether a text names a model on the Hub, well or badly.
   *
   * @param text a place of a model
   * @return true if it begins with {@code hf:}
   */
  public static boolean isOne(String text) {
    return text.startsWith(PREFIX);
  }

  /**
   * Reads a name.
   *
   * @param text {@code hf:owner/name} and so on
   * @return what it names
   * @throws HubException if it is not of that form
   */
  public static HubModel parse(String text) {
    Matcher matcher = MODEL.matcher(text);
    if (!matcher.matches() || matcher.group(4) != null && !isFileName(matcher.group(4))) {
      throw new HubException(
          "expected hf:owner/name, hf:owner/name@revision, hf:owner/name:Q4_K_M or hf:owner/name/file.gguf, found "
              + text);
    }
    return new HubModel(
        matcher.group(1),
        Optional.ofNullable(matcher.group(2)).orElse("main"),
        Optional.ofNullable(matcher.group(3)),
        Optional.ofNullable(matcher.group(4)));
  }

  /** Whether a name stays within its directory. */
  static boolean isFileName(String name) {
    if (name.isEmpty()
        || name.length() > 512
        || name.indexOf('\\') >= 0
        || name.indexOf(':') >= 0) {
      return false;
    }
    for (String part : name.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) return false;
    }
    return name.chars().allMatch(c -> c >= ' ' && c != 127);
  }

  /** {@return as it is written} */
  @Override
  public String toString() {
    return PREFIX
        + repository
        + (revision.equals("main") ? "" : "@" + revision)
        + quantisation.map(name -> ":" + name).orElse("")
        + file.map(name -> "/" + name).orElse("");
  }
}
