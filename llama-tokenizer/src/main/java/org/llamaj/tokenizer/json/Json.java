package org.llamaj.tokenizer.json;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.tokenizer.TokenizerException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads strict JSON into plain Java values: {@link Map} (in the order of the text), {@link List},
 * {@link String}, {@link Long} or {@link java.math.BigInteger}, {@link Double}, {@link Boolean},
 * null. Of members with the same name the last counts, as in Python.
 */
public final class Json {
  private static final JsonFactory FACTORY = new JsonFactory();
  private static final JsonFactory WITH_UNIQUE_NAMES =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private Json() {}

  /**
   * Reads one JSON value that is the whole text.
   *
   * @param text the text
   * @return the value
   * @throws TokenizerException if the text is no JSON value
   */
  public static Object parse(String text) {
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
      return whole(parser);
    } catch (JacksonException e) {
      throw new TokenizerException("Not a JSON text: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * Reads one JSON value that is the whole of a stream.
   *
   * @param stream UTF-8 text; is not closed
   * @return the value
   * @throws TokenizerException if the text is no JSON value
   */
  public static Object parse(InputStream stream) {
    return parse(FACTORY, stream);
  }

  /**
   * Reads one JSON value that is the whole of a stream, and no object of which has two members with
   * the same name.
   *
   * @param stream UTF-8 text; is not closed
   * @return the value
   * @throws TokenizerException if the text is no JSON value, or names are not unique
   */
  public static Object parseUnique(InputStream stream) {
    return parse(WITH_UNIQUE_NAMES, stream);
  }

  private static Object parse(JsonFactory factory, InputStream stream) {
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), stream)) {
      return whole(parser);
    } catch (JacksonException e) {
      throw new TokenizerException("Not a JSON text: " + e.getOriginalMessage(), e);
    }
  }

  private static Object whole(JsonParser parser) {
    parser.nextToken();
    Object value = value(parser);
    if (parser.nextToken() != null) {
      throw new TokenizerException("Not a JSON text: more follows after the first value");
    }
    return value;
  }

  private static Object value(JsonParser parser) {
    JsonToken token = parser.currentToken();
    if (token == null) {
      throw new TokenizerException("Not a JSON text: it is empty");
    }
    return switch (token) {
      case START_OBJECT -> {
        Map<String, Object> object = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          object.put(name, value(parser));
        }
        yield object;
      }
      case START_ARRAY -> {
        List<Object> array = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          array.add(value(parser));
        }
        yield array;
      }
      case VALUE_STRING -> parser.getString();
      case VALUE_NUMBER_INT ->
          parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
              ? parser.getBigIntegerValue()
              : (Object) parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new TokenizerException("Not a JSON text: unexpected " + token);
    };
  }
}
