package org.llamaj.tokenizer.split;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.tokenizer.RandomText;

/** The hand-written scanners against the JDK's regular expressions. */
class SplitterTest {
  static Stream<Arguments> splitters() {
    return Stream.of(
        Arguments.of(new Llama3Splitter(), Llama3Splitter.PATTERN),
        Arguments.of(new Llama4Splitter(), Llama4Splitter.PATTERN));
  }

  @ParameterizedTest
  @MethodSource("splitters")
  void wordsAreTheMatchesOfTheExpression(Splitter splitter, String expression) {
    Pattern pattern =
        Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);
    RandomText texts = new RandomText(7);
    for (int i = 0; i < 100_000; i++) {
      String text = texts.next();
      List<String> expected = new ArrayList<>();
      Matcher matcher = pattern.matcher(text);
      while (matcher.find()) {
        expected.add(matcher.group());
      }
      assertThat(words(splitter, text)).isEqualTo(expected);
    }
  }

  private static List<String> words(Splitter splitter, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    List<String> words = new ArrayList<>();
    for (int at = 0; at < utf8.length; ) {
      int end = splitter.wordEnd(utf8, at, utf8.length);
      words.add(new String(Arrays.copyOfRange(utf8, at, end), StandardCharsets.UTF_8));
      at = end;
    }
    return words;
  }
}
