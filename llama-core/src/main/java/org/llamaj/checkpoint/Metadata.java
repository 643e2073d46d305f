package org.llamaj.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.function.Function;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Real;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.tokenizer.TokenizerMetadata;
import org.llamaj.tokenizer.ByteStrings;

/**
 * What a checkpoint says about itself, by key: {@code llama.block_count} and so on. Look-ups give
 * an empty result when the key is absent, and a {@link CheckpointException} that names the file and
 * the key when the value is of another type. Immutable; strings and arrays can be had until the
 * checkpoint is closed.
 */
public final class Metadata implements TokenizerMetadata {
  /**
   * A key of this library, after the architecture's name and a dot, for what GGUF has no key for: a
   * boolean, whether rows of query and key weights are in the order in which rotary pairs are half
   * a head apart.
   */
  public static final String ROPE_HALF_SPLIT = "rope.half_split";

  /**
   * A key of this library, after the architecture's name and a dot: a boolean, whether queries and
   * keys are normalised after rotation (Llama 4).
   */
  public static final String QUERY_KEY_NORM = "attention.query_key_norm";

  private final String source;
  private final SequencedMap<String, MetadataValue> values;

  /**
   * Metadata from any origin.
   *
   * @param source what messages call the origin: the file's name
   * @param values by key, in the order of the file
   */
  public Metadata(String source, SequencedMap<String, MetadataValue> values) {
    this.source = source;
    this.values = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(values));
  }

  /** {@return what messages call the file} */
  public String source() {
    return source;
  }

  /** {@return all values by key, in the order of the file} */
  public SequencedMap<String, MetadataValue> values() {
    return values;
  }

  @Override
  public Optional<String> string(String key) {
    return find(key, Text.class, "a string").map(text -> decoded(key, text, Text::value));
  }

  @Override
  public OptionalLong integer(String key) {
    Optional<Whole> found = find(key, Whole.class, "an integer");
    if (found.isEmpty()) return OptionalLong.empty();
    if (!found.get().fitsLong()) throw mismatch(key, "a number below 2^63", found.get().toString());
    return OptionalLong.of(found.get().value());
  }

  /**
   * The value of a key of a floating-point or integer type.
   *
   * @param key for example {@code llama.rope.freq_base}
   * @return the number
   */
  public OptionalDouble number(String key) {
    if (values.get(key) instanceof Whole) return OptionalDouble.of(integer(key).orElseThrow());
    Optional<Real> found = find(key, Real.class, "a number");
    return found.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(found.get().value());
  }

  @Override
  public Optional<Boolean> bool(String key) {
    return find(key, Flag.class, "a boolean").map(Flag::value);
  }

  @Override
  public Optional<ByteStrings> strings(String key) {
    return array(key, "an array of strings", Sequence::strings);
  }

  @Override
  public Optional<float[]> floats(String key) {
    return array(key, "an array of numbers", Sequence::floats);
  }

  @Override
  public Optional<int[]> integers(String key) {
    return array(key, "an array of integers", Sequence::ints);
  }

  /**
   * The value of a string key that must be there.
   *
   * @param key for example {@code general.architecture}
   * @return the string
   */
  public String requireString(String key) {
    return string(key).orElseThrow(() -> missing(key, "a string"));
  }

  /**
   * The value of an integer key that must be there and in a range.
   *
   * @param key for example {@code llama.block_count}
   * @param minimum the smallest value that makes sense
   * @param maximum the largest value that makes sense
   * @return the number
   */
  public int requireInt(String key, int minimum, int maximum) {
    if (!values.containsKey(key)) throw missing(key, range(minimum, maximum));
    return intOr(key, 0, minimum, maximum);
  }

  /**
   * The value of an integer key that must be in a range if it is there.
   *
   * @param key for example {@code llama.rope.dimension_count}
   * @param fallback the value where the key is absent
   * @param minimum the smallest value that makes sense
   * @param maximum the largest value that makes sense
   * @return the number
   */
  public int intOr(String key, int fallback, int minimum, int maximum) {
    OptionalLong found = integer(key);
    if (found.isEmpty()) return fallback;
    if (found.getAsLong() < minimum || found.getAsLong() > maximum) {
      throw mismatch(key, range(minimum, maximum), Long.toString(found.getAsLong()));
    }
    return (int) found.getAsLong();
  }

  /**
   * The value of a numeric key that must be there and finite.
   *
   * @param key for example {@code llama.attention.layer_norm_rms_epsilon}
   * @return the number
   */
  public double requireNumber(String key) {
    if (!values.containsKey(key)) throw missing(key, "a finite number");
    return numberOr(key, 0);
  }

  /**
   * The value of a numeric key that must be finite if it is there.
   *
   * @param key for example {@code llama.rope.freq_base}
   * @param fallback the value where the key is absent
   * @return the number
   */
  public double numberOr(String key, double fallback) {
    double number = number(key).orElse(fallback);
    if (!Double.isFinite(number)) throw mismatch(key, "a finite number", Double.toString(number));
    return number;
  }

  private static String range(int minimum, int maximum) {
    return "an integer from %d to %d".formatted(minimum, maximum);
  }

  private <T extends MetadataValue> Optional<T> find(String key, Class<T> type, String expected) {
    MetadataValue value = values.get(key);
    if (value == null) return Optional.empty();
    if (!type.isInstance(value)) {
      throw mismatch(key, expected, "the %s %s".formatted(value.type().noun(), value));
    }
    return Optional.of(type.cast(value));
  }

  private <T> Optional<T> array(String key, String expected, Function<Sequence, T> decoder) {
    return find(key, Sequence.class, expected).map(sequence -> decoded(key, sequence, decoder));
  }

  private <V, T> T decoded(String key, V value, Function<V, T> decoder) {
    try {
      return decoder.apply(value);
    } catch (CheckpointException e) {
      throw new CheckpointException("%s: %s: %s".formatted(source, key, e.getMessage()), e);
    }
  }

  private CheckpointException missing(String key, String expected) {
    return mismatch(key, expected, "no such key");
  }

  private CheckpointException mismatch(String key, String expected, String found) {
    return new CheckpointException(
        "%s: %s: expected %s, found %s".formatted(source, key, expected, found));
  }
}
