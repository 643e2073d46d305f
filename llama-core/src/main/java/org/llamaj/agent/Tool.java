package org.llamaj.agent;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.LlamaException;
import org.llamaj.schema.Description;
import org.llamaj.schema.JsonForm;
import org.llamaj.tokenizer.chat.ToolDefinition;

/**
 * Something the model may ask for, done in Java. What it returns is told to the model: texts as
 * they are, records and enums, maps, lists, numbers and booleans as JSON. What it throws is told
 * too, so that the model can try again.
 *
 * <p>Called on threads of the loop, several at once if the model asks for several.
 */
public final class Tool {
  private final ToolDefinition definition;
  private final boolean builtIn;
  private final Action<Map<String, Object>> action;

  private Tool(ToolDefinition definition, boolean builtIn, Action<Map<String, Object>> action) {
    this.definition = definition;
    this.builtIn = builtIn;
    this.action = action;
  }

  /**
   * What a tool does.
   *
   * @param <I> what it is given
   */
  @FunctionalInterface
  public interface Action<I> {
    /**
     * Does it.
     *
     * @param input what the model gives
     * @return what to tell the model
     * @throws Exception told to the model by its message
     */
    Object run(I input) throws Exception;
  }

  /**
   * A tool with a record of arguments.
   *
   * @param name the name that the model calls it by
   * @param description what it does, for the model
   * @param input a record; its components are the arguments, {@link Description} says what they
   *     mean
   * @param action what it does
   * @param <I> the record
   * @return the tool
   * @throws LlamaException if JSON cannot express the record
   */
  public static <I> Tool of(String name, String description, Class<I> input, Action<I> action) {
    JsonForm<I> form = JsonForm.of(input);
    return new Tool(
        new ToolDefinition(name, description, form.schema()),
        false,
        arguments -> action.run(form.readValue(arguments)));
  }

  /**
   * A tool that models know without a description: {@code brave_search} and {@code wolfram_alpha},
   * which are given a query, and {@code code_interpreter}, which is given Python code.
   *
   * @param name its name
   * @param action what it does with the query or code
   * @return the tool
   */
  public static Tool builtIn(String name, Action<String> action) {
    return new Tool(
        new ToolDefinition(name, "", Map.of()),
        true,
        arguments -> {
          Object value = arguments.getOrDefault("query", arguments.get("code"));
          if (!(value instanceof String text)) {
            throw new LlamaException("expected a query or code, found " + arguments);
          }
          return action.run(text);
        });
  }

  /**
   * The methods of an object that have a {@link Description}, as tools with their names. Their
   * parameters are the arguments; classes have to be compiled with {@code -parameters} to keep the
   * names of these.
   *
   * @param target an object with public methods
   * @return the tools, by name
   * @throws LlamaException if there are none, or JSON cannot express a parameter
   */
  public static List<Tool> methodsOf(Object target) {
    List<Tool> tools = new ArrayList<>();
    for (Method method : target.getClass().getMethods()) {
      if (method.isAnnotationPresent(Description.class)) {
        tools.add(ofMethod(target, method));
      }
    }
    if (tools.isEmpty()) {
      throw new LlamaException(
          "expected public methods with @Description in %s, found none"
              .formatted(target.getClass().getName()));
    }
    tools.sort(Comparator.comparing(Tool::name));
    return tools;
  }

  private static Tool ofMethod(Object target, Method method) {
    Map<String, Object> properties = new LinkedHashMap<>();
    Map<String, JsonForm<Object>> forms = new LinkedHashMap<>();
    for (Parameter parameter : method.getParameters()) {
      if (!parameter.isNamePresent()) {
        throw new LlamaException(
            "expected names of the parameters of %s.%s, found none: compile with -parameters"
                .formatted(target.getClass().getName(), method.getName()));
      }
      JsonForm<Object> form = JsonForm.ofGeneric(parameter.getParameterizedType());
      Map<String, Object> schema = form.schema();
      Description description = parameter.getAnnotation(Description.class);
      if (description != null) {
        schema.put("description", description.value());
      }
      properties.put(parameter.getName(), schema);
      forms.put(parameter.getName(), form);
    }
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    schema.put("properties", properties);
    schema.put("required", List.copyOf(properties.keySet()));
    String description = method.getAnnotation(Description.class).value();
    return new Tool(
        new ToolDefinition(method.getName(), description, schema),
        false,
        arguments -> invoke(target, method, forms, arguments));
  }

  private static Object invoke(
      Object target,
      Method method,
      Map<String, JsonForm<Object>> forms,
      Map<String, Object> arguments)
      throws Exception {
    List<Object> values = new ArrayList<>();
    forms.forEach((name, form) -> values.add(form.readValue(arguments.get(name))));
    try {
      method.setAccessible(true);
      return method.invoke(target, values.toArray());
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  /**
   * Name, description and arguments, for the model.
   *
   * @return without description and arguments for a built-in tool
   */
  public ToolDefinition definition() {
    return definition;
  }

  /**
   * The name that the model calls it by.
   *
   * @return the name
   */
  public String name() {
    return definition.name();
  }

  /**
   * Whether models know it without a description.
   *
   * @return true for {@link #builtIn} tools
   */
  public boolean isBuiltIn() {
    return builtIn;
  }

  /**
   * Runs the tool.
   *
   * @param arguments JSON values by name
   * @return what to tell the model
   * @throws Exception whatever the tool throws, and {@link LlamaException} for other arguments than
   *     it takes
   */
  public String call(Map<String, Object> arguments) throws Exception {
    return text(action.run(arguments));
  }

  private static String text(Object value) {
    return switch (value) {
      case null -> "done";
      case CharSequence text -> text.toString();
      case Record r -> JsonForm.ofGeneric(r.getClass()).write(r);
      case Enum<?> e -> e.name();
      case Map<?, ?> _, List<?> _, Number _, Boolean _ -> JsonForm.text(value);
      case Object[] array -> JsonForm.text(Arrays.asList(array));
      default -> value.toString();
    };
  }
}
