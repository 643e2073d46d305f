package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Repeat;

/** Objects of a schema: the properties that are listed, in their order, and others after them. */
final class SchemaObjects {
  private final SchemaCompiler compiler;

  SchemaObjects(SchemaCompiler compiler) {
    this.compiler = compiler;
  }

  Expression object(Map<String, Object> schema, String path) {
    Map<String, Object> properties = SchemaCompiler.properties(schema);
    List<String> names = List.copyOf(properties.keySet());
    List<Boolean> required = required(schema, properties, path);
    boolean open = !schema.containsKey("properties");
    Object more = schema.getOrDefault("additionalProperties", open);
    Expression others = others(schema, names, more, path);
    int min = SchemaCompiler.count(schema, "minProperties", 0, path);
    int max = SchemaCompiler.count(schema, "maxProperties", Repeat.UNLIMITED, path);
    if (min > 0 || max != Repeat.UNLIMITED) {
      if (!names.isEmpty() || others == null) {
        throw new GrammarException(
            path + ": expected minProperties and maxProperties without properties, found both");
      }
      return Expression.sequence(
          new Literal("{"), SchemaCompiler.listOf(others, min, max), new Literal("}"));
    }
    List<Member> members =
        members(
            properties,
            required,
            name -> Expression.sequence(new Literal(JsonText.write(name)), JsonText.COLON),
            path);
    return Expression.sequence(new Literal("{"), inOrder(members, others, path), new Literal("}"));
  }

  /** A property that is listed. */
  private record Member(Expression text, boolean required) {}

  /** The properties that can be there. */
  private List<Member> members(
      Map<String, Object> properties,
      List<Boolean> required,
      Function<String, Expression> key,
      String path) {
    List<Member> members = new ArrayList<>();
    int at = 0;
    for (Map.Entry<String, Object> property : properties.entrySet()) {
      String place = path + "/properties/" + property.getKey();
      boolean isRequired = required.get(at++);
      Expression value =
          isRequired
              ? compiler.value(property.getValue(), place)
              : compiler.ifAny(compiler::value, property.getValue(), place);
      if (value != null) {
        Expression text = Expression.sequence(key.apply(property.getKey()), value);
        members.add(new Member(text, isRequired));
      }
    }
    return members;
  }

  /** Members that are not listed, with a value of any of the patterns' or all others' schemas. */
  private Expression others(
      Map<String, Object> schema, List<String> names, Object more, String path) {
    List<Expression> others = new ArrayList<>();
    if (schema.get("patternProperties") instanceof Map<?, ?> patterns && !patterns.isEmpty()) {
      boolean closed = !(schema.get("additionalProperties") instanceof Object o) || o.equals(false);
      if (!names.isEmpty() || schema.containsKey("propertyNames") || !closed) {
        throw new GrammarException(
            path + ": expected patternProperties alone, found other properties beside them");
      }
      SchemaCompiler.strings(patterns)
          .forEach(
              (pattern, value) -> {
                String place = path + "/patternProperties/" + pattern;
                Expression key =
                    SchemaStrings.of(Map.of("pattern", pattern), place, compiler.syntax(), null);
                others.add(Expression.sequence(key, JsonText.COLON, compiler.value(value, place)));
              });
    } else if (!Boolean.FALSE.equals(more)) {
      Expression key = names.isEmpty() ? compiler.string() : JsonText.stringOtherThan(names);
      if (schema.containsKey("propertyNames")) {
        if (!names.isEmpty()) {
          throw new GrammarException(path + ": expected propertyNames or properties, found both");
        }
        Map<String, Object> name =
            Schemas.merged(
                Map.of("allOf", List.of(Map.of("type", "string"), schema.get("propertyNames"))),
                compiler::resolved,
                path);
        key = compiler.value(name, path + "/propertyNames");
      }
      others.add(
          Expression.sequence(
              key, JsonText.COLON, compiler.value(more, path + "/additionalProperties")));
    }
    return others.isEmpty() ? null : compiler.rule(path + " (other)", Expression.choice(others));
  }

  /** Whether each property is required. */
  private static List<Boolean> required(
      Map<String, Object> schema, Map<String, Object> properties, String path) {
    List<?> required = schema.get("required") instanceof List<?> list ? list : List.of();
    for (Object name : required) {
      if (!properties.containsKey(name)) {
        throw new GrammarException(
            "%s/required: expected names of properties, found %s".formatted(path, name));
      }
    }
    return properties.keySet().stream().map(required::contains).toList();
  }

  /**
   * The members from each property on, made from the last to the first: with a comma before them if
   * one has come already.
   */
  private Expression inOrder(List<Member> members, Expression others, String path) {
    Expression first = Expression.EMPTY;
    Expression further = Expression.EMPTY;
    if (others != null) {
      further = Expression.any(Expression.sequence(JsonText.COMMA, others));
      first = Expression.optional(Expression.sequence(others, further));
    }
    for (int i = members.size() - 1; i >= 0; i--) {
      boolean optional = !members.get(i).required();
      Expression member = compiler.rule(path + " (member " + i + ")", members.get(i).text());
      Expression next =
          further.equals(Expression.EMPTY)
              ? further
              : compiler.rule(path + " (after " + i + ")", further);
      Expression asFirst = Expression.sequence(member, next);
      Expression asNext = Expression.sequence(JsonText.COMMA, member, next);
      first = optional ? Expression.choice(asFirst, first) : asFirst;
      further = optional ? Expression.choice(asNext, next) : asNext;
      if (optional && i > 0) {
        first = compiler.rule(path + " (from " + i + ")", first);
      }
    }
    return first;
  }

  /** The properties as keyword arguments of Python. */
  Expression keywords(Map<String, Object> schema, String path) {
    Map<String, Object> properties = SchemaCompiler.properties(schema);
    List<Member> members =
        members(
            properties,
            required(schema, properties, path),
            name -> Expression.literal(name + "="),
            path);
    return inOrder(members, null, path);
  }
}
