package org.llamaj.tokenizer.json;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.llamaj.tokenizer.TokenizerException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
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

  /** Keeps no table of names: a vocabulary would fill it with names that are there once. */
  private static final JsonFactory WITH_MANY_NAMES =
      JsonFactory.builder().disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES).build();

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

  /**
   * As {@link #parse(InputStream)}, but where an object or an array is long, it is not made of Java
   * objects.
   *
   * @param utf8 the text
   * @param longMembers members of the outermost object, or of objects in it, {@code model.vocab}:
   *     if they are objects or arrays, they become {@link JsonStrings}; pairs of strings in them
   *     become one string with a space between
   * @return the value
   * @throws TokenizerException if the text is no JSON value
   */
  public static Object parse(byte[] utf8, Set<String> longMembers) {
    try (JsonParser parser = WITH_MANY_NAMES.createParser(ObjectReadContext.empty(), utf8)) {
      parser.nextToken();
      Object value =
          parser.currentToken() == JsonToken.START_OBJECT
              ? object(parser, "", longMembers)
              : value(parser);
      requireEnd(parser);
      return value;
    } catch (JacksonException e) {
      throw new TokenizerException("Not a JSON text: " + e.getOriginalMessage(), e);
    }
  }

  private static Map<String, Object> object(
      JsonParser parser, String path, Set<String> longMembers) {
    Map<String, Object> object = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      String member = path + name;
      JsonToken token = parser.nextToken();
      Object value;
      if (!longMembers.contains(member)) {
        value =
            token == JsonToken.START_OBJECT && path.isEmpty()
                ? object(parser, member + ".", longMembers)
                : value(parser);
      } else if (token == JsonToken.START_OBJECT) {
        value = numbers(parser);
      } else if (token == JsonToken.START_ARRAY) {
        value = strings(parser);
      } else {
        value = value(parser);
      }
      object.put(name, value);
    }
    return object;
  }

  private static JsonStrings numbers(JsonParser parser) {
    JsonStrings.Builder strings = new JsonStrings.Builder();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      strings.add(parser.getStringCharacters(), parser.getStringOffset(), parser.getStringLength());
      if (parser.nextToken() == JsonToken.VALUE_NUMBER_INT
          && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER) {
        strings.number(parser.getLongValue());
      } else {
        strings.drop(value(parser));
      }
    }
    return strings.build(true);
  }

  private static JsonStrings strings(JsonParser parser) {
    JsonStrings.Builder strings = new JsonStrings.Builder();
    for (JsonToken token; (token = parser.nextToken()) != JsonToken.END_ARRAY; ) {
      switch (token) {
        case VALUE_STRING ->
            strings.add(
                parser.getStringCharacters(), parser.getStringOffset(), parser.getStringLength());
        case START_ARRAY -> pair(parser, strings);
        default -> strings.other(value(parser));
      }
    }
    return strings.build(false);
  }

  private static void pair(JsonParser parser, JsonStrings.Builder strings) {
    Object pair = value(parser);
    if (pair instanceof List<?> parts
        && parts.size() == 2
        && parts.getFirst() instanceof String left
        && parts.getLast() instanceof String right) {
      char[] rule = (left + " " + right).toCharArray();
      strings.add(rule, 0, rule.length);
    } else {
      strings.other(pair);
    }
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
    requireEnd(parser);
    return value;
  }

  private static void requireEnd(JsonParser parser) {
    if (parser.nextToken() != null) {
      throw new TokenizerException("Not a JSON text: more follows after the first value");
    }
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
