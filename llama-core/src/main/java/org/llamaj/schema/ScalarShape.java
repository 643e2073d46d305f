package org.llamaj.schema;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

/**
 * A type whose values have no parts.
 *
 * @param schema its schema
 * @param expected what it expects, for messages
 * @param reader makes a value; throws for what it does not take
 * @param writer makes a JSON value
 */
record ScalarShape(
    Map<String, Object> schema,
    String expected,
    Function<Object, Object> reader,
    Function<Object, Object> writer)
    implements Shape {

  private static final Map<Class<?>, ScalarShape> ALL = new HashMap<>();

  static {
    number(int.class, Integer.class, "int32", BigDecimal::intValueExact);
    number(long.class, Long.class, "int64", BigDecimal::longValueExact);
    limited(
        short.class, Short.class, Short.MIN_VALUE, Short.MAX_VALUE, BigDecimal::shortValueExact);
    limited(byte.class, Byte.class, Byte.MIN_VALUE, Byte.MAX_VALUE, BigDecimal::byteValueExact);
    ALL.put(
        BigInteger.class,
        number(Map.of("type", "integer"), "a whole number", BigDecimal::toBigIntegerExact));
    Map<String, Object> anyNumber = Map.of("type", "number");
    ALL.put(BigDecimal.class, number(anyNumber, "a number", n -> n));
    both(double.class, Double.class, number(anyNumber, "a number", BigDecimal::doubleValue));
    both(float.class, Float.class, number(anyNumber, "a number", BigDecimal::floatValue));
    both(
        boolean.class,
        Boolean.class,
        new ScalarShape(
            Map.of("type", "boolean"), "true or false", Boolean.class::cast, value -> value));
    ALL.put(
        String.class,
        new ScalarShape(Map.of("type", "string"), "a text", String.class::cast, value -> value));
    both(
        char.class,
        Character.class,
        new ScalarShape(
            Map.of("type", "string", "pattern", "^[\\u0000-\\uffff]$"),
            "one character",
            ScalarShape::character,
            Object::toString));
    text(LocalDate.class, "date", LocalDate::parse);
    text(OffsetTime.class, "time", OffsetTime::parse);
    text(OffsetDateTime.class, "date-time", OffsetDateTime::parse);
    text(UUID.class, "uuid", UUID::fromString);
  }

  /** The shape of a class, or null if it has parts. */
  static ScalarShape of(Class<?> type) {
    return ALL.get(type);
  }

  @Override
  public Map<String, Object> schema() {
    return new LinkedHashMap<>(schema);
  }

  @Override
  public Object read(Object json, String path) {
    if (json != null) {
      try {
        return reader.apply(json);
      } catch (RuntimeException e) {
        // told below
      }
    }
    throw Shape.expected(expected, json, path);
  }

  @Override
  public Object write(Object value) {
    return writer.apply(value);
  }

  private static void both(Class<?> primitive, Class<?> boxed, ScalarShape shape) {
    ALL.put(primitive, shape);
    ALL.put(boxed, shape);
  }

  private static void number(
      Class<?> primitive, Class<?> boxed, String format, Function<BigDecimal, Object> convert) {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "integer");
    schema.put("format", format);
    both(primitive, boxed, number(schema, "a whole number of " + format, convert));
  }

  private static void limited(
      Class<?> primitive,
      Class<?> boxed,
      long min,
      long max,
      Function<BigDecimal, Object> convert) {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "integer");
    schema.put("minimum", min);
    schema.put("maximum", max);
    both(
        primitive,
        boxed,
        number(schema, "a whole number from %d to %d".formatted(min, max), convert));
  }

  private static ScalarShape number(
      Map<String, Object> schema, String expected, Function<BigDecimal, Object> convert) {
    return new ScalarShape(
        schema,
        expected,
        json -> convert.apply(new BigDecimal(((Number) json).toString())),
        value -> value);
  }

  private static void text(Class<?> type, String format, Function<String, Object> parse) {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "string");
    schema.put("format", format);
    ALL.put(
        type,
        new ScalarShape(
            schema,
            "a text of format " + format,
            json -> parse.apply((String) json),
            Object::toString));
  }

  private static Object character(Object json) {
    String text = (String) json;
    if (text.length() != 1) {
      throw new IllegalArgumentException(text);
    }
    return text.charAt(0);
  }
}
