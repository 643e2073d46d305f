package org.llamaj.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.llamaj.ChatSession;
import org.llamaj.FinishReason;
import org.llamaj.Generation;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaModel;
import org.llamaj.agent.AgentAnswer.Outcome;
import org.llamaj.tokenizer.SpecialText;
import org.llamaj.tokenizer.StreamingDecoder;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.tokenizer.chat.ToolCallEvent;
import org.llamaj.tokenizer.chat.ToolCallParser;

/**
 * A conversation in which the model may call tools: they run, the model is told what came of them,
 * and goes on until it has an answer. Used by one thread at a time.
 *
 * <pre>{@code
 * try (Agent agent =
 *     Agent.builder(model)
 *         .tool("get_weather", "the weather in a city", WeatherQuery.class, q -> weather(q.city()))
 *         .open()) {
 *   System.out.println(agent.send("Do I need an umbrella in Oslo?").text());
 * }
 * }</pre>
 */
public final class Agent implements AutoCloseable {
  private final LlamaModel model;
  private final ChatSession session;
  private final ToolRunner tools;
  private final int steps;
  private final Optional<SafetyCheck> input;
  private final Optional<SafetyCheck> output;

  Agent(
      LlamaModel model,
      ChatSession session,
      ToolRunner tools,
      int steps,
      Optional<SafetyCheck> input,
      Optional<SafetyCheck> output) {
    this.model = model;
    this.session = session;
    this.tools = tools;
    this.steps = steps;
    this.input = input;
    this.output = output;
  }

  /**
   * Begins to set an agent up.
   *
   * @param model what it thinks with
   * @return settings to make, then {@link AgentBuilder#open}
   */
  public static AgentBuilder builder(LlamaModel model) {
    return new AgentBuilder(model);
  }

  /**
   * Says something and waits for the answer.
   *
   * @param text what the user says
   * @return the answer, and the tools that ran for it
   */
  public AgentAnswer send(String text) {
    return send(text, _ -> {});
  }

  /**
   * Says something and is told what happens until the answer is there.
   *
   * @param text what the user says
   * @param onEvent receives text of the answer, and calls that begin and end, on this thread
   * @return the answer, and the tools that ran for it
   */
  public AgentAnswer send(String text, Consumer<AgentEvent> onEvent) {
    int before = session.conversation().messages().size();
    Message question = Message.user(text);
    if (input.isPresent() && !input.get().isSafe(session.conversation().plus(question))) {
      return new AgentAnswer("", List.of(), Outcome.REFUSED_INPUT);
    }
    List<ToolRun> runs = new ArrayList<>();
    Message[] next = {question};
    for (int step = 0; step < steps; step++) {
      Reply reply = reply(next, output.isPresent() ? _ -> {} : onEvent);
      if (!reply.isCall()) {
        return answer(reply, runs, before, onEvent);
      }
      List<Message> results = new ArrayList<>();
      reply.malformed.ifPresent(
          reason -> results.add(result("", "error: the call could not be read: " + reason)));
      for (ToolRun run : tools.run(reply.calls, onEvent)) {
        runs.add(run);
        results.add(result(run.call().name(), run.result()));
      }
      next = results.toArray(Message[]::new);
    }
    return new AgentAnswer("", runs, Outcome.STEP_LIMIT);
  }

  private AgentAnswer answer(
      Reply reply, List<ToolRun> runs, int before, Consumer<AgentEvent> onEvent) {
    if (output.isPresent()) {
      if (!output.get().isSafe(session.conversation())) {
        session.rewind(before);
        return new AgentAnswer("", runs, Outcome.REFUSED_OUTPUT);
      }
      if (!reply.text.isEmpty()) {
        onEvent.accept(new AgentEvent.Text(reply.text));
      }
    }
    boolean whole = reply.reason == FinishReason.END || reply.reason == FinishReason.STOP_STRING;
    return new AgentAnswer(reply.text, runs, whole ? Outcome.ANSWERED : Outcome.CUT_OFF);
  }

  private static Message result(String tool, String text) {
    return Message.tool(new Content.ToolResult("", tool, text));
  }

  /** An answer of the model: text, or calls. */
  private record Reply(
      String text, List<Content.ToolCall> calls, Optional<String> malformed, FinishReason reason) {
    boolean isCall() {
      return !calls.isEmpty() || malformed.isPresent();
    }
  }

  /** Reads the tokens of an answer, with those that mark calls. */
  private Reply reply(Message[] messages, Consumer<AgentEvent> onEvent) {
    StreamingDecoder decoder = model.tokenizer().streamingDecoder(SpecialText.SHOW);
    ToolCallParser parser = new ToolCallParser();
    StringBuilder text = new StringBuilder();
    List<Content.ToolCall> calls = new ArrayList<>();
    List<String> malformed = new ArrayList<>();
    Consumer<ToolCallEvent> take =
        event -> {
          switch (event) {
            case ToolCallEvent.Text t -> {
              text.append(t.text());
              onEvent.accept(new AgentEvent.Text(t.text()));
            }
            case ToolCallEvent.Call call -> calls.add(call.call());
            case ToolCallEvent.Malformed m -> malformed.add(m.reason());
            case ToolCallEvent.Growing _ -> {}
          }
        };
    try (GenerationStream stream = session.stream(messages)) {
      int read = 0;
      while (stream.hasNext()) {
        stream.next();
        read = decode(stream.tokens(), read, decoder, parser, take);
      }
      Generation all = stream.result();
      decode(all.tokens(), read, decoder, parser, take);
      parser.accept(decoder.finish()).forEach(take);
      parser.finish().forEach(take);
      return new Reply(text.toString(), calls, malformed.stream().findFirst(), all.finishReason());
    }
  }

  private int decode(
      List<Integer> tokens,
      int read,
      StreamingDecoder decoder,
      ToolCallParser parser,
      Consumer<ToolCallEvent> take) {
    for (int i = read; i < tokens.size(); i++) {
      if (!model.tokenizer().isEndOfGeneration(tokens.get(i))) {
        parser.accept(decoder.accept(tokens.get(i))).forEach(take);
      }
    }
    return tokens.size();
  }

  /**
   * The conversation below: what was said, calls and results of tools included.
   *
   * @return not to be closed
   */
  public ChatSession session() {
    return session;
  }

  /** Gives the memory of the conversation back. */
  @Override
  public void close() {
    session.close();
  }
}
