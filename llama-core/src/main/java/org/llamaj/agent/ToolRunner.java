package org.llamaj.agent;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.llamaj.tokenizer.chat.Content;

/** Runs the calls of one answer of the model: all at once, each on a virtual thread. */
final class ToolRunner {
  private final Map<String, Tool> tools = new LinkedHashMap<>();
  private final Predicate<Content.ToolCall> approval;

  ToolRunner(List<Tool> tools, Predicate<Content.ToolCall> approval) {
    for (Tool tool : tools) {
      if (this.tools.put(tool.name(), tool) != null) {
        throw new IllegalArgumentException(
            "expected tools of different names, found two called " + tool.name());
      }
    }
    this.approval = approval;
  }

  /** The results, in the order of the calls. Events come on the calling thread. */
  List<ToolRun> run(List<Content.ToolCall> calls, Consumer<AgentEvent> onEvent) {
    List<Callable<ToolRun>> work = new ArrayList<>();
    for (Content.ToolCall call : calls) {
      Tool tool = tools.get(call.name());
      if (tool == null) {
        work.add(
            () ->
                failed(
                    call, "there is no tool %s, only %s".formatted(call.name(), tools.keySet())));
      } else if (!approval.test(call)) {
        work.add(() -> failed(call, "the user did not allow this call"));
      } else {
        work.add(() -> run(tool, call));
      }
    }
    List<ToolRun> runs = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<ToolRun>> running = new ArrayList<>();
      for (int i = 0; i < calls.size(); i++) {
        onEvent.accept(new AgentEvent.CallStarted(calls.get(i)));
        running.add(threads.submit(work.get(i)));
      }
      for (Future<ToolRun> one : running) {
        ToolRun run = one.get();
        onEvent.accept(new AgentEvent.CallFinished(run));
        runs.add(run);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while tools were running");
    } catch (ExecutionException e) {
      // Failures are results; only errors of the JVM come here.
      throw new IllegalStateException(e.getCause());
    }
    return runs;
  }

  private static ToolRun run(Tool tool, Content.ToolCall call) {
    try {
      return new ToolRun(call, tool.call(call.arguments()), false);
    } catch (Exception e) {
      return failed(call, e.getMessage() == null ? e.toString() : e.getMessage());
    }
  }

  private static ToolRun failed(Content.ToolCall call, String reason) {
    return new ToolRun(call, "error: " + reason, true);
  }
}
