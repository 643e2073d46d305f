package org.llamaj.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopStringsTest {

  @Test
  void findsAStopStringSpreadOverPieces() {
    StopStrings stops = new StopStrings(List.of("\nUser:"));
    assertThat(stops.accept("Hello")).isEqualTo("Hello");
    assertThat(stops.accept(" there\nUs")).isEqualTo(" there");
    assertThat(stops.accept("er: hi")).isEmpty();
    assertThat(stops.found()).isTrue();
    assertThat(stops.finish()).isEmpty();
  }

  @Test
  void releasesTextThatTurnsOutNotToBeAStopString() {
    StopStrings stops = new StopStrings(List.of("abcd"));
    assertThat(stops.accept("ab")).isEmpty();
    assertThat(stops.accept("cab")).isEqualTo("abc");
    assertThat(stops.finish()).isEqualTo("ab");
    assertThat(stops.found()).isFalse();
  }

  @Test
  void theEarliestOfSeveralCounts() {
    StopStrings stops = new StopStrings(List.of("four", "two"));
    assertThat(stops.accept("one two three four")).isEqualTo("one ");
    assertThat(stops.found()).isTrue();
  }

  @Test
  void withoutStopStringsTextPassesAtOnce() {
    StopStrings stops = new StopStrings(List.of());
    assertThat(stops.accept("text")).isEqualTo("text");
    assertThat(stops.finish()).isEmpty();
  }
}
