package org.llamaj.agent;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.llamaj.ChatBuilder;
import org.llamaj.ChatSession;
import org.llamaj.GenerationOptions;
import org.llamaj.LlamaModel;
import org.llamaj.grammar.Grammar;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.ToolDefinition;

/** How to set an agent up: tools, limits, who is asked. Used by one thread. */
public final class AgentBuilder {
  private final LlamaModel model;
  private final List<Tool> tools = new ArrayList<>();
  private ChatBuilder chat;
  private int steps = 8;
  private Predicate<Content.ToolCall> approval = _ -> true;
  private boolean freeCalls;
  private Optional<Grammar> calls = Optional.empty(); // of the tools, once an agent was opened
  private Optional<SafetyCheck> input = Optional.empty();
  private Optional<SafetyCheck> output = Optional.empty();

  AgentBuilder(LlamaModel model) {
    this.model = model;
    chat = model.chat();
  }

  /**
   * Says who the model is and what rules hold.
   *
   * @param text the system message
   * @return this
   */
  public AgentBuilder system(String text) {
    return chat(builder -> builder.system(text));
  }

  /**
   * Changes how the conversation begins and how answers are generated.
   *
   * @param change makes the new settings from the present ones
   * @return this
   */
  public AgentBuilder chat(UnaryOperator<ChatBuilder> change) {
    chat = change.apply(chat);
    return this;
  }

  /**
   * Adds a tool with a record of arguments: see {@link Tool#of}.
   *
   * @param name the name that the model calls it by
   * @param description what it does, for the model
   * @param input a record of its arguments
   * @param action what it does
   * @param <I> the record
   * @return this
   */
  public <I> AgentBuilder tool(
      String name, String description, Class<I> input, Tool.Action<I> action) {
    return tools(List.of(Tool.of(name, description, input, action)));
  }

  /**
   * Implements a tool that models know without a description: see {@link Tool#builtIn}.
   *
   * @param name {@code brave_search}, {@code wolfram_alpha} or {@code code_interpreter}
   * @param action what it does with the query or code
   * @return this
   */
  public AgentBuilder builtIn(String name, Tool.Action<String> action) {
    return tools(List.of(Tool.builtIn(name, action)));
  }

  /**
   * Adds tools.
   *
   * @param more for example {@link Tool#methodsOf}
   * @return this
   */
  public AgentBuilder tools(Collection<Tool> more) {
    tools.addAll(more);
    calls = Optional.empty();
    return this;
  }

  /**
   * Limits how often the model may call tools for one answer.
   *
   * @param count answers of the model, calls and the last one together; 8 without it
   * @return this
   */
  public AgentBuilder steps(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("steps: expected at least 1, found " + count);
    }
    steps = count;
    return this;
  }

  /**
   * Asks, a person for example, before a tool runs. The model is told when the answer is no.
   *
   * @param allowed asked on the thread of {@link Agent#send}, for each call in order
   * @return this
   */
  public AgentBuilder approval(Predicate<Content.ToolCall> allowed) {
    approval = allowed;
    return this;
  }

  /**
   * Lets the model write calls as it likes. Without this, what begins as a call of a tool goes on
   * as one, with arguments of the tool's schema: see {@link Grammar#toolCalls}.
   *
   * @return this
   */
  public AgentBuilder freeCalls() {
    freeCalls = true;
    return this;
  }

  /**
   * Looks at what the user says before the model is asked.
   *
   * @param check may refuse it
   * @return this
   */
  public AgentBuilder checkInput(SafetyCheck check) {
    input = Optional.of(check);
    return this;
  }

  /**
   * Looks at an answer before it is told; its text is then told at once and not as it comes.
   *
   * @param check may refuse it
   * @return this
   */
  public AgentBuilder checkOutput(SafetyCheck check) {
    output = Optional.of(check);
    return this;
  }

  /**
   * Opens the conversation.
   *
   * @return to be closed by the caller
   * @throws org.llamaj.LlamaException if the model's file names no chat format that is known
   */
  public Agent open() {
    List<Tool> described = tools.stream().filter(tool -> !tool.isBuiltIn()).toList();
    List<Tool> builtIn = tools.stream().filter(Tool::isBuiltIn).toList();
    List<ToolDefinition> definitions = described.stream().map(Tool::definition).toList();
    List<String> names = builtIn.stream().map(Tool::name).toList();
    ToolRunner runner = new ToolRunner(tools, approval);
    ChatSession session =
        chat.tools(definitions)
            .builtInTools(names)
            .options(options -> held(options, definitions, names))
            .open();
    return new Agent(model, session, runner, steps, input, output);
  }

  /** What the last agent that was opened is held to, for tests. */
  Optional<Grammar> calls() {
    return calls;
  }

  /** A call that the token limit cuts off is none: nobody meant what it would be brought to. */
  private GenerationOptions held(
      GenerationOptions options, List<ToolDefinition> definitions, List<String> builtIn) {
    if (freeCalls || tools.isEmpty() || options.grammar().isPresent()) {
      return options;
    }
    if (calls.isEmpty()) {
      calls = Optional.of(Grammar.toolCalls(definitions, builtIn));
    }
    return options.withGrammar(calls.get()).withCompletion(false);
  }
}
