package org.llamaj.schema;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.llamaj.LlamaException;

/** Walks over a Java type and the types of its parts. */
final class Shapes {
  private static final String SUPPORTED =
      "records, enums, sealed interfaces of records, lists, sets, maps with keys of text or enum,"
          + " Optional, String, numbers, boolean, char, LocalDate, OffsetTime, OffsetDateTime, UUID";

  private final Map<Class<?>, Shape> named = new HashMap<>();
  private final Map<Class<?>, Named> open = new HashMap<>();
  private final Map<String, Shape> definitions = new LinkedHashMap<>();

  /** A type that contains itself: its schema is given once and referred to. */
  private static final class Named implements Shape {
    private final String name;
    private Shape shape;
    private boolean used;

    Named(String name) {
      this.name = name;
    }

    @Override
    public Map<String, Object> schema() {
      Map<String, Object> schema = new LinkedHashMap<>();
      schema.put("$ref", "#/$defs/" + name);
      return schema;
    }

    @Override
    public Object read(Object json, String path) {
      return shape.read(json, path);
    }

    @Override
    public Object write(Object value) {
      return shape.write(value);
    }
  }

  /** The shapes of types that contain themselves, by name. */
  Map<String, Shape> definitions() {
    return definitions;
  }

  Shape of(Type type) {
    return switch (type) {
      case Class<?> c -> of(c);
      case ParameterizedType p -> of((Class<?>) p.getRawType(), p.getActualTypeArguments());
      case GenericArrayType _ -> throw unsupported(type);
      default -> throw unsupported(type);
    };
  }

  private Shape of(Class<?> raw, Type[] arguments) {
    if (raw == List.class || raw == Collection.class || raw == Set.class) {
      return new CollectionShape(of(arguments[0]), raw == Set.class);
    }
    if (raw == Optional.class) {
      return new OptionalShape(of(arguments[0]));
    }
    if (raw == Map.class) {
      Shape key = of(arguments[0]);
      if (key instanceof EnumShape constants) {
        return new MapShape(constants, of(arguments[1]));
      }
      if (arguments[0] == String.class) {
        return new MapShape(null, of(arguments[1]));
      }
    }
    throw unsupported(raw);
  }

  private Shape of(Class<?> type) {
    Shape scalar = ScalarShape.of(type);
    if (scalar != null) {
      return scalar;
    }
    if (type.isEnum()) {
      return new EnumShape(type);
    }
    if (!type.isRecord() && !type.isSealed() || type.getTypeParameters().length > 0) {
      throw unsupported(type);
    }
    if (named.containsKey(type)) {
      return named.get(type);
    }
    Named self = open.get(type);
    if (self != null) {
      self.used = true;
      return self;
    }
    self = new Named(type.getSimpleName());
    open.put(type, self);
    self.shape = type.isRecord() ? record(type) : sealed(type);
    open.remove(type);
    if (!self.used) {
      named.put(type, self.shape);
      return self.shape;
    }
    if (definitions.putIfAbsent(self.name, self.shape) != null) {
      throw new LlamaException(
          "expected types of different names, found two that are called " + self.name);
    }
    named.put(type, self);
    return self;
  }

  private RecordShape record(Class<?> type) {
    List<Shape> members = new ArrayList<>();
    for (RecordComponent component : type.getRecordComponents()) {
      members.add(of(component.getGenericType()));
    }
    return new RecordShape(type, members);
  }

  private SealedShape sealed(Class<?> type) {
    List<RecordShape> records = new ArrayList<>();
    collect(type, records);
    return new SealedShape(type, records);
  }

  private void collect(Class<?> type, List<RecordShape> into) {
    for (Class<?> permitted : type.getPermittedSubclasses()) {
      if (permitted.isRecord()) {
        RecordShape shape = record(permitted);
        for (RecordComponent component : permitted.getRecordComponents()) {
          if (component.getName().equals("type")) {
            throw new LlamaException(
                "%s: expected no component named type, which tells the records of %s apart, found one"
                    .formatted(permitted.getName(), type.getSimpleName()));
          }
        }
        into.add(shape);
      } else if (permitted.isSealed()) {
        collect(permitted, into);
      } else {
        throw unsupported(permitted);
      }
    }
  }

  private static LlamaException unsupported(Type type) {
    return new LlamaException(
        "expected a type that JSON can express (%s), found %s"
            .formatted(SUPPORTED, type.getTypeName()));
  }
}
