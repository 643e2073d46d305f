package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Carries out the statements of a template. */
final class Interpreter {
  /** How a list of statements ended. */
  private enum Flow {
    NORMAL,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;

  Interpreter(Budget budget) {
    this.budget = budget;
    this.evaluator = new Evaluator(budget);
  }

  /** What statements print. */
  String render(List<Statement> statements, Scope scope) {
    StringBuilder out = new StringBuilder();
    run(statements, scope, out);
    return out.toString();
  }

  private Flow run(List<Statement> statements, Scope scope, StringBuilder out) {
    for (Statement statement : statements) {
      budget.step();
      Flow flow = run(statement, scope, out);
      if (flow != Flow.NORMAL) {
        return flow;
      }
    }
    return Flow.NORMAL;
  }

  private Flow run(Statement statement, Scope scope, StringBuilder out) {
    switch (statement) {
      case Statement.Text text -> print(text.text(), out);
      case Statement.Print print ->
          print(Printer.str(evaluator.evaluate(print.value(), scope)), out);
      case Statement.If branches -> {
        for (Statement.Branch branch : branches.branches()) {
          if (Values.truth(evaluator.evaluate(branch.condition(), scope))) {
            return run(branch.body(), scope, out);
          }
        }
        return run(branches.otherwise(), scope, out);
      }
      case Statement.For loop -> loop(loop, evaluator.evaluate(loop.items(), scope), 0, scope, out);
      case Statement.Assign assign ->
          assign(assign.target(), evaluator.evaluate(assign.value(), scope), scope);
      case Statement.AssignBlock block -> {
        String body = render(block.body(), new Scope(scope));
        assign(block.target(), filtered(block.filter(), body, scope), scope);
      }
      case Statement.Macro macro -> scope.set(macro.name(), macro(macro, scope));
      case Statement.CallBlock call -> callBlock(call, scope, out);
      case Statement.FilterBlock block -> {
        String body = render(block.body(), new Scope(scope));
        print(Printer.str(filtered(block.filter(), body, scope)), out);
      }
      case Statement.With with -> {
        Scope inner = new Scope(scope);
        for (Statement.Assign assign : with.assignments()) {
          assign(assign.target(), evaluator.evaluate(assign.value(), scope), inner);
        }
        return run(with.body(), inner, out);
      }
      case Statement.Group group -> {
        return run(group.body(), scope, out);
      }
      case Statement.Break stop -> {
        return Flow.BREAK;
      }
      case Statement.Continue next -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.NORMAL;
  }

  private void print(String text, StringBuilder out) {
    budget.work(text.length());
    Budget.size((long) out.length() + text.length(), Budget.MOST_CHARACTERS);
    out.append(text);
  }

  private Object filtered(Expression filter, String body, Scope scope) {
    if (filter == null) {
      return body;
    }
    Scope inner = new Scope(scope);
    inner.set(Statement.BODY, body);
    return evaluator.evaluate(filter, inner);
  }

  private void loop(Statement.For loop, Object over, int depth, Scope scope, StringBuilder out) {
    budget.enter();
    List<Object> items = Values.items(over);
    if (loop.condition() != null) {
      items = matching(loop, items, scope);
    }
    Callable recursion =
        loop.recursive()
            ? arguments -> {
              StringBuilder inner = new StringBuilder();
              loop(loop, arguments.require(0, "iterable"), depth + 1, scope, inner);
              return inner.toString();
            }
            : null;
    LoopState state = new LoopState(items, depth, recursion, budget);
    for (int i = 0; i < items.size(); i++) {
      state.at(i);
      Scope inner = new Scope(scope);
      inner.set("loop", state);
      assign(loop.target(), items.get(i), inner);
      if (run(loop.body(), inner, out) == Flow.BREAK) {
        break;
      }
    }
    if (items.isEmpty()) {
      run(loop.otherwise(), new Scope(scope), out);
    }
    budget.leave();
  }

  private List<Object> matching(Statement.For loop, List<Object> items, Scope scope) {
    List<Object> matching = new ArrayList<>();
    for (Object item : items) {
      Scope inner = new Scope(scope);
      assign(loop.target(), item, inner);
      if (Values.truth(evaluator.evaluate(loop.condition(), inner))) {
        matching.add(item);
      }
    }
    return matching;
  }

  private void assign(Statement.Target target, Object value, Scope scope) {
    switch (target) {
      case Statement.Target.Variable variable -> scope.set(variable.name(), value);
      case Statement.Target.Member member -> {
        if (!(scope.get(member.namespace()) instanceof Namespace namespace)) {
          throw JinjaException.runtime("cannot assign attribute on non-namespace object");
        }
        namespace.members().put(member.name(), value);
      }
      case Statement.Target.Several several -> {
        List<Object> values = Values.items(value);
        if (values.size() != several.targets().size()) {
          throw JinjaException.runtime(
              "ValueError: expected %d values to unpack, found %d"
                  .formatted(several.targets().size(), values.size()));
        }
        for (int i = 0; i < values.size(); i++) {
          assign(several.targets().get(i), values.get(i), scope);
        }
      }
    }
  }

  private Callable macro(Statement.Macro macro, Scope scope) {
    return arguments -> {
      budget.enter();
      Scope inner = new Scope(scope);
      bind(macro, arguments, inner);
      String result = render(macro.body(), inner);
      budget.leave();
      return result;
    };
  }

  private void bind(Statement.Macro macro, Arguments arguments, Scope scope) {
    List<Statement.Parameter> parameters = macro.parameters();
    List<Object> positional = arguments.positional();
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    for (int i = 0; i < parameters.size(); i++) {
      Statement.Parameter parameter = parameters.get(i);
      Object value;
      if (i < positional.size()) {
        value = positional.get(i);
      } else if (named.containsKey(parameter.name())) {
        value = named.remove(parameter.name());
      } else if (parameter.otherwise() != null) {
        value = evaluator.evaluate(parameter.otherwise(), scope);
      } else {
        value = Undefined.variable(parameter.name());
      }
      scope.set(parameter.name(), value);
    }
    if (named.containsKey("caller")) {
      scope.set("caller", named.remove("caller"));
    }
    int taken = Math.min(parameters.size(), positional.size());
    List<Object> extra = positional.subList(taken, positional.size());
    scope.set("varargs", new Tuple(extra));
    scope.set("kwargs", named);
    if (!extra.isEmpty() && !macro.takesMore("varargs")
        || !named.isEmpty() && !macro.takesMore("kwargs")) {
      throw JinjaException.runtime(
          "TypeError: macro '%s' takes not more than %d argument(s)"
              .formatted(macro.name(), parameters.size()));
    }
  }

  private void callBlock(Statement.CallBlock block, Scope scope, StringBuilder out) {
    Callable caller =
        macro(new Statement.Macro("caller", block.parameters(), Set.of(), block.body()), scope);
    Object target = Undefined.require(evaluator.evaluate(block.call().target(), scope));
    if (!(target instanceof Callable callable)) {
      throw JinjaException.runtime(
          "TypeError: '%s' object is not callable".formatted(Values.typeName(target)));
    }
    Arguments arguments = evaluator.arguments(block.call().arguments(), scope);
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    named.put("caller", caller);
    print(Printer.str(callable.call(new Arguments(arguments.positional(), named))), out);
  }
}
