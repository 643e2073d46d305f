package org.llamaj.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Real;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;

class MetadataTest {
  private final Metadata metadata = new Metadata("m.gguf", values());

  private static SequencedMap<String, MetadataValue> values() {
    SequencedMap<String, MetadataValue> values = new LinkedHashMap<>();
    values.put("text", Text.of("x"));
    values.put("whole", new Whole(MetadataType.UINT32, 4_000_000_000L));
    values.put("real", new Real(MetadataType.FLOAT32, 0.1f));
    values.put("nan", new Real(MetadataType.FLOAT32, Float.NaN));
    values.put("flag", new Flag(true));
    values.put("ints", Sequence.ofInts(1, 2, 3));
    values.put(
        "longs",
        new Sequence(
            MetadataType.INT64, 1, MemorySegment.ofArray(new byte[] {0, 0, 0, 0, 1, 0, 0, 0})));
    return values;
  }

  @Test
  void absentKeysAreEmpty() {
    assertThat(metadata.string("none")).isEmpty();
    assertThat(metadata.integer("none")).isEmpty();
    assertThat(metadata.number("none")).isEmpty();
    assertThat(metadata.bool("none")).isEmpty();
    assertThat(metadata.integers("none")).isEmpty();
    assertThat(metadata.intOr("none", 7, 8, 9)).isEqualTo(7);
    assertThat(metadata.numberOr("none", 0.5)).isEqualTo(0.5);
  }

  @Test
  void wholeNumbersAreNumbersToo() {
    assertThat(metadata.number("whole")).hasValue(4e9);
    assertThat(metadata.requireNumber("real")).isEqualTo(0.1f);
  }

  @Test
  void messagesNameFileKeyExpectedAndFound() {
    assertFailure(
        () -> metadata.integer("text"), "text: expected an integer, found the string \"x\"");
    assertFailure(() -> metadata.string("flag"), "flag: expected a string, found the boolean true");
    assertFailure(() -> metadata.bool("real"), "real: expected a boolean, found the number 0.1");
    assertFailure(
        () -> metadata.floats("ints"),
        "ints: expected an array of numbers, found an array of integers");
    assertFailure(
        () -> metadata.strings("whole"),
        "whole: expected an array of strings, found the integer 4000000000");
    assertFailure(
        () -> metadata.integers("longs"),
        "longs: expected 32-bit integers, found 4294967296 at index 0");
    assertFailure(
        () -> metadata.requireInt("whole", 1, 100),
        "whole: expected an integer from 1 to 100, found 4000000000");
    assertFailure(
        () -> metadata.requireInt("none", 1, 100),
        "none: expected an integer from 1 to 100, found no such key");
    assertFailure(
        () -> metadata.requireString("none"), "none: expected a string, found no such key");
    assertFailure(() -> metadata.requireNumber("nan"), "nan: expected a finite number, found NaN");
  }

  @Test
  void longStringsAreShownInPart() {
    assertThat(Text.of("a".repeat(500)).toString()).hasSizeLessThan(200).contains(" ... ");
  }

  private static void assertFailure(ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(CheckpointException.class)
        .hasMessage("m.gguf: " + message);
  }
}
