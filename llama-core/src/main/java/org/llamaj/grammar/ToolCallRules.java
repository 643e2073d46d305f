package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.grammar.Expression.Control;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Reference;
import org.llamaj.grammar.Expression.Repeat;
import org.llamaj.grammar.FreeText.Trigger;
import org.llamaj.tokenizer.chat.ToolCallParser;
import org.llamaj.tokenizer.chat.ToolDefinition;

/**
 * Answers of a model that may call tools: any text, but what begins as a call of a tool goes on as
 * one, with arguments of the tool's schema. In all the ways of {@link ToolCallParser}: JSON and
 * Python lists at the beginning of an answer, function tags anywhere, and all of them, calls of
 * built-in tools and code after the control tokens for Python.
 */
final class ToolCallRules {
  private static final String CODE_INTERPRETER = "code_interpreter";
  private static final Expression WHITE = new Repeat(JsonText.characters(" \t\r\n"), 0, 12);

  private final Map<String, Expression> rules = new LinkedHashMap<>();
  private final List<ToolDefinition> tools;
  private final List<String> builtIn;

  /** What begins a call at the beginning of a text. */
  private final List<Trigger> atStart = new ArrayList<>();

  private ToolCallRules(List<ToolDefinition> tools, List<String> builtIn) {
    this.tools = new ArrayList<>(tools);
    this.builtIn = builtIn;
    for (String name : builtIn) {
      this.tools.add(new ToolDefinition(name, "", builtInParameters(name)));
    }
  }

  static Rules of(List<ToolDefinition> tools, List<String> builtIn) {
    ToolCallRules calls = new ToolCallRules(tools, builtIn);
    calls.add();
    return new Rules(calls.rules, "root", rule -> rule + ": ");
  }

  private static Map<String, Object> builtInParameters(String name) {
    String parameter = name.equals(CODE_INTERPRETER) ? "code" : "query";
    return Map.of(
        "type",
        "object",
        "properties",
        Map.of(parameter, Map.of("type", "string")),
        "required",
        List.of(parameter));
  }

  private void add() {
    List<Trigger> tags = new ArrayList<>();
    List<Expression> json = new ArrayList<>();
    List<Expression> python = new ArrayList<>();
    List<Expression> tagged = new ArrayList<>();
    for (ToolDefinition tool : tools) {
      Expression arguments =
          SchemaCompiler.value(tool.parameters(), tool.name() + " arguments ", rules);
      json.add(json(tool, arguments));
      python(tool, python);
      tag(tool, arguments, tags, tagged);
    }
    rules.put("call", Expression.choice(json));
    rules.put(
        "further calls",
        Expression.any(
            Expression.sequence(JsonText.characters(";\n"), WHITE, new Reference("call"))));
    rules.put(
        "list end",
        Expression.sequence(
            Expression.any(Expression.sequence(comma(), new Reference("call"))),
            WHITE,
            new Literal("]")));
    rules.put(
        "tags",
        Expression.any(Expression.sequence(WHITE, new Literal("<"), Expression.choice(tagged))));
    if (!python.isEmpty()) {
      rules.put("python call", Expression.choice(python));
      rules.put(
          "python end",
          Expression.sequence(
              Expression.any(Expression.sequence(comma(), new Reference("python call"))),
              WHITE,
              new Literal("]")));
    }
    for (String name : builtIn) {
      if (!name.equals(CODE_INTERPRETER)) {
        atStart.add(new Trigger(" " + name + ".call(", false, builtInRest()));
      }
    }
    root(tags, json, python);
  }

  /** The answer: text with triggers, and what follows the tokens for Python. */
  private void root(List<Trigger> tags, List<Expression> json, List<Expression> python) {
    Expression pythonText;
    if (builtIn.contains(CODE_INTERPRETER)) {
      pythonText = FreeText.add("code", atStart, null, rules);
    } else {
      List<Expression> calls = new ArrayList<>();
      Expression all = Expression.sequence(new Reference("call"), new Reference("further calls"));
      calls.add(all);
      if (!python.isEmpty()) {
        calls.add(
            Expression.sequence(
                new Literal("["), new Reference("python call"), new Reference("python end")));
      }
      for (String name : builtIn) {
        calls.add(Expression.sequence(new Literal(name + ".call("), builtInRest()));
      }
      pythonText = Expression.sequence(WHITE, Expression.choice(calls));
    }
    rules.put("after python", pythonText);
    Expression tag =
        Expression.sequence(new Control("<|python_tag|>"), new Reference("after python"));
    List<Trigger> triggers = new ArrayList<>(atStart);
    triggers.addAll(tags);
    Expression text = FreeText.add("text", triggers, tag, rules);
    Expression start =
        Expression.sequence(
            new Control("<|python_start|>"),
            new Reference("after python"),
            new Control("<|python_end|>"));
    rules.put("root", Expression.choice(text, start));
  }

  /** A call as JSON; its beginning, up to the name, is a trigger. */
  private Expression json(ToolDefinition tool, Expression arguments) {
    String name = JsonText.write(tool.name());
    Expression rest =
        Expression.sequence(
            comma(),
            Expression.choice(new Literal("\"parameters\""), new Literal("\"arguments\"")),
            colon(),
            arguments,
            WHITE,
            new Literal("}"));
    String rule = tool.name() + " after name";
    rules.put(rule, rest);
    Reference after = new Reference(rule);
    Expression further = Expression.sequence(after, new Reference("further calls"));
    Expression listed = Expression.sequence(after, new Reference("list end"));
    for (String type : List.of("", "\"type\" : \"function\" , ")) {
      String begin = "{ " + type + "\"name\" : " + name;
      atStart.add(new Trigger(" " + begin, false, further));
      atStart.add(new Trigger(" [ " + begin, false, listed));
    }
    Expression type =
        Expression.sequence(new Literal("\"type\""), colon(), new Literal("\"function\""), comma());
    return Expression.sequence(
        new Literal("{"),
        WHITE,
        Expression.optional(type),
        new Literal("\"name\""),
        colon(),
        new Literal(name),
        after);
  }

  /** A call as Python, if its names allow it. */
  private void python(ToolDefinition tool, List<Expression> into) {
    boolean isPython =
        ToolCallParser.isPythonName(tool.name())
            && (!(tool.parameters().get("properties") instanceof Map<?, ?> properties)
                || properties.keySet().stream()
                    .allMatch(name -> ToolCallParser.isPythonName(name.toString())));
    if (!isPython) {
      return;
    }
    String rule = tool.name() + " keywords";
    rules.put(
        rule,
        Expression.sequence(
            SchemaCompiler.keywords(tool.parameters(), rule + " ", rules), new Literal(")")));
    Reference rest = new Reference(rule);
    atStart.add(
        new Trigger(
            " [ " + tool.name() + " (",
            false,
            Expression.sequence(rest, new Reference("python end"))));
    into.add(Expression.sequence(new Literal(tool.name() + "("), rest));
  }

  private void tag(
      ToolDefinition tool, Expression arguments, List<Trigger> triggers, List<Expression> tagged) {
    String begin = "function=" + tool.name() + ">";
    String rule = tool.name() + " after tag";
    rules.put(rule, Expression.sequence(WHITE, arguments, WHITE, new Literal("</function>")));
    Reference rest = new Reference(rule);
    triggers.add(new Trigger("<" + begin, true, Expression.sequence(rest, new Reference("tags"))));
    tagged.add(Expression.sequence(new Literal(begin), rest));
  }

  /** {@code query="...")}; quotes within are escaped, nothing else is. */
  private static Expression builtInRest() {
    Expression character =
        Expression.choice(
            new Expression.Characters(CodePoints.anyOf("\"\\").complement()),
            Expression.sequence(new Literal("\\"), JsonText.characters("\"\\/bfnrtu")));
    return Expression.sequence(
        new Literal("query"),
        WHITE,
        new Literal("="),
        WHITE,
        new Literal("\""),
        Expression.any(character),
        new Literal("\""),
        WHITE,
        new Literal(")"));
  }

  private static Expression comma() {
    return Expression.sequence(WHITE, new Literal(","), WHITE);
  }

  private static Expression colon() {
    return Expression.sequence(WHITE, new Literal(":"), WHITE);
  }
}
