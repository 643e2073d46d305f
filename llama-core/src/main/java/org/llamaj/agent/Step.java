package org.llamaj.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Predicate;
import org.llamaj.LlamaException;

/**
 * One step of a workflow: any function from one value to the next. Steps are put together with
 * {@link #then}, {@link #choose}, {@link #until} and {@link #all}; what comes between them may be
 * any Java.
 *
 * <pre>{@code
 * Step<String, Ticket> read = mail -> model.prompt(ticketPrompt(mail)).as(Ticket.class);
 * Step<String, String> desk =
 *     read.then(Step.choose(ticket -> ticket.urgent() ? escalate : reply));
 * }</pre>
 *
 * @param <I> what it is given
 * @param <O> what it gives
 */
@FunctionalInterface
public interface Step<I, O> {
  /**
   * Does the step.
   *
   * @param input what it is given
   * @return what it gives
   */
  O run(I input);

  /**
   * This step and then another one.
   *
   * @param next is given what this one gives
   * @param <R> what the last one gives
   * @return both as one step
   */
  default <R> Step<I, R> then(Step<? super O, ? extends R> next) {
    return input -> next.run(run(input));
  }

  /**
   * Branches: the value decides which step it goes to.
   *
   * @param decision picks the step
   * @param <I> what it is given
   * @param <O> what it gives
   * @return the step that was picked, as one step
   */
  static <I, O> Step<I, O> choose(Function<? super I, Step<? super I, ? extends O>> decision) {
    return input -> decision.apply(input).run(input);
  }

  /**
   * Repeats a step with its own outcome.
   *
   * @param enough tells whether the outcome is good
   * @param most how often at most
   * @param step the step
   * @param <T> what it is given and gives
   * @return the first good outcome, or the last one
   */
  static <T> Step<T, T> until(Predicate<? super T> enough, int most, Step<T, T> step) {
    return input -> {
      T value = input;
      for (int i = 0; i < most; i++) {
        value = step.run(value);
        if (enough.test(value)) {
          break;
        }
      }
      return value;
    };
  }

  /**
   * Does several steps with the same value at once, each on a thread of its own; the model runs
   * them as one batch.
   *
   * @param steps the steps
   * @param <I> what each is given
   * @param <O> what each gives
   * @return what they give, in order
   */
  static <I, O> Step<I, List<O>> all(List<? extends Step<? super I, ? extends O>> steps) {
    return input -> {
      List<O> results = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<O>> running = new ArrayList<>();
        for (Step<? super I, ? extends O> step : steps) {
          running.add(threads.submit(() -> step.run(input)));
        }
        for (Future<O> one : running) {
          results.add(one.get());
        }
        return results;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new LlamaException("interrupted while steps were running", e);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException cause) {
          throw cause;
        }
        throw new LlamaException("a step failed: " + e.getCause(), e.getCause());
      }
    };
  }
}
