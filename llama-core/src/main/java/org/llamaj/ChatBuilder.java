package org.llamaj;

import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.tokenizer.chat.ToolDefinition;
import org.llamaj.transformer.AdapterUse;

/** How to begin a conversation. Immutable: each method that changes something returns a copy. */
public final class ChatBuilder {
  private final LlamaModel model;
  private final Conversation conversation;
  private final List<AdapterUse> adapters;
  private final GenerationOptions options;
  private final boolean readsAhead;

  ChatBuilder(LlamaModel model) {
    this(model, Conversation.of(), List.of(), GenerationOptions.defaults(), true);
  }

  private ChatBuilder(
      LlamaModel model,
      Conversation conversation,
      List<AdapterUse> adapters,
      GenerationOptions options,
      boolean readsAhead) {
    this.model = model;
    this.conversation = conversation;
    this.adapters = adapters;
    this.options = Objects.requireNonNull(options, "options");
    this.readsAhead = readsAhead;
  }

  /**
   * Adds a system message: who the model is and what rules hold.
   *
   * @param text the message
   * @return a changed copy
   */
  public ChatBuilder system(String text) {
    return history(Message.system(text));
  }

  /**
   * Adds messages that have been said before the conversation begins.
   *
   * @param more in order
   * @return a changed copy
   */
  public ChatBuilder history(Message... more) {
    return new ChatBuilder(model, conversation.plus(more), adapters, options, readsAhead);
  }

  /**
   * Sets the date that the model is told, where its chat format tells one: formats of Llama 3.1 and
   * later do, beside tools or always. Without this, it is the day on which each turn is said.
   *
   * @param today the date
   * @return a changed copy
   */
  public ChatBuilder on(LocalDate today) {
    return new ChatBuilder(model, conversation.on(today), adapters, options, readsAhead);
  }

  /**
   * Describes tools to the model. Its calls are text of its answers, as the model writes them:
   * {@link org.llamaj.agent.Agent} reads and runs them, and holds them to the tools' schemas. To
   * have them held here, too, add {@code options(o -> o.withGrammar(Grammar.toolCalls(values,
   * List.of())).withCompletion(false))}.
   *
   * @param values the tools it may call
   * @return a changed copy
   */
  public ChatBuilder tools(List<ToolDefinition> values) {
    return new ChatBuilder(model, conversation.withTools(values), adapters, options, readsAhead);
  }

  /**
   * Allows tools that models know without a description.
   *
   * @param names {@code brave_search}, {@code wolfram_alpha}, {@code code_interpreter}
   * @return a changed copy
   */
  public ChatBuilder builtInTools(List<String> names) {
    return new ChatBuilder(
        model, conversation.withBuiltInTools(names), adapters, options, readsAhead);
  }

  /**
   * Lets the conversation go through a LoRA adapter, besides those named before.
   *
   * @param adapter loaded by this conversation's model, open until the conversation is closed
   * @param scale 1 for as it was trained
   * @return a changed copy
   */
  public ChatBuilder adapter(Adapter adapter, float scale) {
    return new ChatBuilder(
        model, conversation, model.with(adapters, adapter, scale), options, readsAhead);
  }

  /**
   * Replaces all options of the answers.
   *
   * @param value the new options
   * @return a changed copy
   */
  public ChatBuilder options(GenerationOptions value) {
    return new ChatBuilder(model, conversation, adapters, value, readsAhead);
  }

  /**
   * Changes the options step by step; the other methods for options are short for this one.
   *
   * @param change makes the new options from the present ones
   * @return a changed copy
   */
  public ChatBuilder options(UnaryOperator<GenerationOptions> change) {
    return options(change.apply(options));
  }

  /**
   * Limits the length of an answer.
   *
   * @param value the most tokens to generate
   * @return a changed copy
   */
  public ChatBuilder maxTokens(int value) {
    return options(options.withMaxTokens(value));
  }

  /**
   * Sets the temperature.
   *
   * @param value 0 for the most probable token each time
   * @return a changed copy
   */
  public ChatBuilder temperature(float value) {
    return sampling(sampling -> sampling.withTemperature(value));
  }

  /**
   * Sets how the next tokens are guessed, to be faster with the same result.
   *
   * @param value for example {@link Speculation#promptLookup}
   * @return a changed copy
   */
  public ChatBuilder speculation(Speculation value) {
    return options(options.withSpeculation(value));
  }

  /**
   * Sets what happens when the text no longer fits the context.
   *
   * @param value for example {@link ContextOverflow#slide}
   * @return a changed copy
   */
  public ChatBuilder overflow(ContextOverflow value) {
    return options(options.withOverflow(value));
  }

  /**
   * Sets the seed: the same seed gives the same answers.
   *
   * @param value any number
   * @return a changed copy
   */
  public ChatBuilder seed(long value) {
    return sampling(sampling -> sampling.withSeed(value));
  }

  /**
   * Changes how tokens are chosen.
   *
   * @param change makes the new sampling options from the present ones
   * @return a changed copy
   */
  public ChatBuilder sampling(UnaryOperator<SamplingOptions> change) {
    return options(options.withSampling(change));
  }

  /**
   * Sets whether the model uses the time after an answer, as it does by default: when it has had
   * nothing else to do for a moment, it reads the few tokens that stand before the user's next
   * words, whatever they are. The next answer then begins sooner.
   *
   * @param value false to let it rest, for the sake of a battery for example; {@link
   *     ChatSession#prepare} works all the same
   * @return a changed copy
   */
  public ChatBuilder readAhead(boolean value) {
    return new ChatBuilder(model, conversation, adapters, options, value);
  }

  /**
   * Opens the conversation.
   *
   * @return to be closed by the caller
   * @throws LlamaException if the model's file names no chat format that is known
   */
  public ChatSession open() {
    return new ChatSession(model, model.chatFormat(), conversation, adapters, options, readsAhead);
  }

  /**
   * Goes on with a conversation that {@link ChatSession#save} has written; the messages of this
   * builder do not count.
   *
   * @param file written with the same model (the image encoder included, where there are pictures),
   *     and with the adapters that this builder names
   * @return to be closed by the caller
   * @throws LlamaException if it is no such file, damaged, of another model, or with other adapters
   */
  public ChatSession restore(Path file) {
    return ChatSession.restore(model, model.chatFormat(), adapters, options, readsAhead, file);
  }
}
