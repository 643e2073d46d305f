package org.llamaj.tokenizer.bpe;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.llamaj.tokenizer.SpecialTokens;

/** Finds added tokens in text: the leftmost, and of those that start there the longest. */
public final class AddedTokens {
  /** An added token and where it was found, with the white space it takes with it. */
  public record Match(AddedToken token, int start, int end) {}

  private final AddedToken[] sorted;
  private final Map<String, AddedToken> byText = new HashMap<>();
  private final BitSet firstChars = new BitSet();
  private final boolean anyAlwaysFound;

  /** Takes the tokens; of two with the same text, the first counts. */
  public AddedTokens(List<AddedToken> tokens) {
    for (AddedToken token : tokens) {
      if (!token.text().isEmpty() && byText.putIfAbsent(token.text(), token) == null) {
        firstChars.set(token.text().charAt(0));
      }
    }
    sorted = byText.values().toArray(AddedToken[]::new);
    Arrays.sort(sorted, Comparator.comparing(AddedToken::text));
    anyAlwaysFound = byText.values().stream().anyMatch(token -> !token.special());
  }

  /** The ids of all added tokens by their text. */
  Map<String, Integer> ids() {
    return byText.values().stream()
        .collect(Collectors.toUnmodifiableMap(AddedToken::text, AddedToken::id));
  }

  /** The id of the added token with a text. */
  OptionalInt id(String text) {
    AddedToken token = byText.get(text);
    return token == null ? OptionalInt.empty() : OptionalInt.of(token.id());
  }

  /** Whether a search can find anything. */
  boolean anyFound(SpecialTokens allowed) {
    return sorted.length > 0 && (anyAlwaysFound || !allowed.isEmpty());
  }

  /** The first added token at or after an index, or null. */
  public Match find(CharSequence text, int from, SpecialTokens allowed) {
    for (int at = from; at < text.length(); at++) {
      if (firstChars.get(text.charAt(at))) {
        AddedToken token = longestAt(text, at, allowed);
        if (token != null) {
          return match(text, from, at, token);
        }
      }
    }
    return null;
  }

  /**
   * Where, at or after an index, an added token begins, or at the end of the text a part of one
   * that what follows might complete; -1 if there is no such place.
   */
  public int lookAlike(String text, int from) {
    for (int at = from; at < text.length(); at++) {
      if (firstChars.get(text.charAt(at))
          && (longestAt(text, at, SpecialTokens.all()) != null || endsWithinToken(text, at))) {
        return at;
      }
    }
    return -1;
  }

  private boolean endsWithinToken(String text, int at) {
    int low = 0;
    int high = sorted.length;
    for (int i = at; i < text.length() && low < high; i++) {
      if (sorted[low].text().length() == i - at) {
        low++;
      }
      low = firstNotBelow(low, high, i - at, text.charAt(i));
      high = firstNotBelow(low, high, i - at, text.charAt(i) + 1);
    }
    return low < high;
  }

  private AddedToken longestAt(CharSequence text, int at, SpecialTokens allowed) {
    AddedToken best = null;
    int low = 0;
    int high = sorted.length;
    // The tokens from low to high agree with the text so far.
    for (int depth = 0; low < high; depth++) {
      if (sorted[low].text().length() == depth) {
        if (accepted(sorted[low], text, at, allowed)) {
          best = sorted[low];
        }
        low++;
      }
      if (at + depth == text.length()) {
        break;
      }
      char c = text.charAt(at + depth);
      low = firstNotBelow(low, high, depth, c);
      high = firstNotBelow(low, high, depth, c + 1);
    }
    return best;
  }

  private int firstNotBelow(int from, int to, int depth, int c) {
    int low = from;
    int high = to;
    while (low < high) {
      int middle = low + high >>> 1;
      if (sorted[middle].text().charAt(depth) < c) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private static boolean accepted(
      AddedToken token, CharSequence text, int at, SpecialTokens allowed) {
    if (token.special() && !allowed.contains(token.text())) {
      return false;
    }
    int end = at + token.text().length();
    return !token.singleWord()
        || (at == 0 || !isWordCharacter(Character.codePointBefore(text, at)))
            && (end == text.length() || !isWordCharacter(Character.codePointAt(text, end)));
  }

  private static Match match(CharSequence text, int from, int at, AddedToken token) {
    int start = at;
    int end = at + token.text().length();
    while (token.stripLeft() && start > from && Character.isWhitespace(text.charAt(start - 1))) {
      start--;
    }
    while (token.stripRight() && end < text.length() && Character.isWhitespace(text.charAt(end))) {
      end++;
    }
    return new Match(token, start, end);
  }

  private static boolean isWordCharacter(int codePoint) {
    return Character.isLetterOrDigit(codePoint)
        || codePoint == '_'
        || Character.getType(codePoint) == Character.NON_SPACING_MARK
        || Character.getType(codePoint) == Character.CONNECTOR_PUNCTUATION;
  }
}
