package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gives expressions their values. */
final class Evaluator {
  private final Budget budget;

  Evaluator(Budget budget) {
    this.budget = budget;
  }

  Object evaluate(Expression expression, Scope scope) {
    budget.step();
    return switch (expression) {
      case Expression.Literal literal -> literal.value();
      case Expression.Name name -> scope.get(name.name());
      case Expression.ListOf list -> all(list.items(), scope);
      case Expression.TupleOf tuple -> new Tuple(all(tuple.items(), scope));
      case Expression.DictOf dict -> dict(dict, scope);
      case Expression.Attribute attribute ->
          Members.attribute(evaluate(attribute.target(), scope), attribute.name(), budget);
      case Expression.Item item ->
          Members.item(evaluate(item.target(), scope), evaluate(item.key(), scope), budget);
      case Expression.Slice slice ->
          Members.slice(
              evaluate(slice.target(), scope),
              optional(slice.start(), scope),
              optional(slice.stop(), scope),
              optional(slice.step(), scope));
      case Expression.Call call -> call(call, scope);
      case Expression.Filter filter -> {
        Object target = evaluate(filter.target(), scope);
        yield Filters.apply(filter.name(), target, arguments(filter.arguments(), scope), budget);
      }
      case Expression.Test test -> {
        Object target = evaluate(test.target(), scope);
        yield Tests.apply(test.name(), target, arguments(test.arguments(), scope), budget);
      }
      case Expression.Sign sign -> {
        Object operand = evaluate(sign.operand(), scope);
        yield sign.negative() ? Numbers.negate(operand) : Numbers.plus(operand);
      }
      case Expression.Not not -> !Values.truth(evaluate(not.operand(), scope));
      case Expression.Logical logical -> {
        Object left = evaluate(logical.left(), scope);
        yield Values.truth(left) == logical.and() ? evaluate(logical.right(), scope) : left;
      }
      case Expression.Arithmetic arithmetic ->
          arithmetic(
              arithmetic.operator(),
              evaluate(arithmetic.left(), scope),
              evaluate(arithmetic.right(), scope));
      case Expression.Concatenation concatenation -> concatenate(concatenation, scope);
      case Expression.Comparison comparison -> compare(comparison, scope);
      case Expression.Conditional conditional -> conditional(conditional, scope);
    };
  }

  /** The values of a call's arguments. */
  Arguments arguments(Expression.CallArguments arguments, Scope scope) {
    if (arguments == Expression.CallArguments.NONE) {
      return Arguments.NONE;
    }
    List<Object> positional = all(arguments.positional(), scope);
    Map<String, Object> named = new LinkedHashMap<>();
    arguments.named().forEach((name, value) -> named.put(name, evaluate(value, scope)));
    if (arguments.spreadList() != null) {
      positional.addAll(Values.items(evaluate(arguments.spreadList(), scope)));
    }
    if (arguments.spreadMap() != null) {
      if (!(evaluate(arguments.spreadMap(), scope) instanceof Map<?, ?> map)) {
        throw JinjaException.runtime("TypeError: argument after ** must be a mapping");
      }
      map.forEach((name, value) -> named.put(Printer.str(name), value));
    }
    return new Arguments(positional, named);
  }

  private Object call(Expression.Call call, Scope scope) {
    Object target = evaluate(call.target(), scope);
    Undefined.require(target);
    if (!(target instanceof Callable callable)) {
      throw JinjaException.runtime(
          "TypeError: '%s' object is not callable".formatted(Values.typeName(target)));
    }
    return callable.call(arguments(call.arguments(), scope));
  }

  private List<Object> all(List<Expression> expressions, Scope scope) {
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(evaluate(expression, scope));
    }
    return values;
  }

  private Map<Object, Object> dict(Expression.DictOf dict, Scope scope) {
    Map<Object, Object> map = new LinkedHashMap<>();
    for (Map.Entry<Expression, Expression> entry : dict.entries()) {
      Object key = evaluate(entry.getKey(), scope);
      if (key instanceof Map<?, ?> || key instanceof List<?> && !(key instanceof Tuple)) {
        throw JinjaException.runtime(
            "TypeError: unhashable type: '%s'".formatted(Values.typeName(key)));
      }
      map.put(key, evaluate(entry.getValue(), scope));
    }
    return map;
  }

  private Object optional(Expression expression, Scope scope) {
    return expression == null ? null : evaluate(expression, scope);
  }

  private Object arithmetic(String operator, Object left, Object right) {
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return Numbers.calculate(operator, left, right);
    }
    Undefined.require(left);
    if (operator.equals("%") && left instanceof String format) {
      return Formats.percent(format, right);
    }
    Undefined.require(right);
    switch (operator) {
      case "+" -> {
        if (left instanceof String l && right instanceof String r) {
          budget.work(Budget.size((long) l.length() + r.length(), Budget.MOST_CHARACTERS));
          return l + r;
        }
        if (left instanceof List<?> l
            && right instanceof List<?> r
            && left instanceof Tuple == right instanceof Tuple) {
          budget.work(Budget.size((long) l.size() + r.size(), Budget.MOST_ITEMS));
          List<Object> both = new ArrayList<>(l);
          both.addAll(r);
          return left instanceof Tuple ? new Tuple(both) : both;
        }
      }
      case "*" -> {
        if (Numbers.isInteger(left)) {
          return repeat(right, left);
        }
        return repeat(left, right);
      }
      default -> {}
    }
    throw unsupported(operator, left, right);
  }

  private Object repeat(Object value, Object times) {
    if (Numbers.isInteger(times)) {
      int count = Math.max(0, Numbers.index(times));
      if (value instanceof String text) {
        budget.work(Budget.size((long) text.length() * count, Budget.MOST_CHARACTERS));
        return text.repeat(count);
      }
      if (value instanceof List<?> list) {
        budget.work(Budget.size((long) list.size() * count, Budget.MOST_ITEMS));
        List<Object> repeated = new ArrayList<>(list.size() * count);
        for (int i = 0; i < count && !list.isEmpty(); i++) {
          repeated.addAll(list);
        }
        return value instanceof Tuple ? new Tuple(repeated) : repeated;
      }
    }
    throw unsupported("*", value, times);
  }

  private static JinjaException unsupported(String operator, Object left, Object right) {
    return JinjaException.runtime(
        "TypeError: unsupported operand types for %s: '%s' and '%s'"
            .formatted(operator, Values.typeName(left), Values.typeName(right)));
  }

  private String concatenate(Expression.Concatenation concatenation, Scope scope) {
    StringBuilder text = new StringBuilder();
    for (Expression operand : concatenation.operands()) {
      String part = Printer.str(evaluate(operand, scope));
      budget.work(Budget.size((long) text.length() + part.length(), Budget.MOST_CHARACTERS));
      text.append(part);
    }
    return text.toString();
  }

  private boolean compare(Expression.Comparison comparison, Scope scope) {
    Object left = evaluate(comparison.first(), scope);
    for (int i = 0; i < comparison.operators().size(); i++) {
      Object right = evaluate(comparison.others().get(i), scope);
      boolean holds =
          switch (comparison.operators().get(i)) {
            case "==" -> Values.equal(left, right, budget);
            case "!=" -> !Values.equal(left, right, budget);
            case "<" -> Values.compare(left, right, budget) < 0;
            case "<=" -> Values.compare(left, right, budget) <= 0;
            case ">" -> Values.compare(left, right, budget) > 0;
            case ">=" -> Values.compare(left, right, budget) >= 0;
            case "in" -> Values.contains(right, left, budget);
            default -> !Values.contains(right, left, budget);
          };
      if (!holds) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object conditional(Expression.Conditional conditional, Scope scope) {
    if (Values.truth(evaluate(conditional.condition(), scope))) {
      return evaluate(conditional.value(), scope);
    }
    return conditional.otherwise() == null
        ? new Undefined(
            JinjaException.Kind.UNDEFINED,
            "the inline if-expression evaluated to false and no else section was defined")
        : evaluate(conditional.otherwise(), scope);
  }
}
