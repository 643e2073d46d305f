package org.llamaj;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a generation was and what it took.
 *
 * @param operation {@code chat} or {@code text_completion}
 * @param model its file
 * @param maxTokens the limit of the options
 * @param result text, tokens and timings
 * @param duration from the request to the end, the reader's time included
 * @param failure what ended it, if it failed
 */
public record GenerationReport(
    String operation,
    String model,
    int maxTokens,
    Generation result,
    Duration duration,
    Optional<Throwable> failure) {

  /**
   * What it was, in the names of OpenTelemetry's semantic conventions for generative AI.
   *
   * @return attributes of a span: strings, whole numbers, and one list of strings
   */
  public Map<String, Object> attributes() {
    Map<String, Object> attributes = new LinkedHashMap<>();
    attributes.put("gen_ai.operation.name", operation);
    attributes.put("gen_ai.provider.name", "llamaj");
    attributes.put("gen_ai.request.model", model);
    attributes.put("gen_ai.request.max_tokens", (long) maxTokens);
    attributes.put("gen_ai.usage.input_tokens", (long) result.promptTokens());
    attributes.put("gen_ai.usage.output_tokens", (long) result.tokens().size());
    attributes.put("gen_ai.response.finish_reasons", List.of(finishReason()));
    failure.ifPresent(e -> attributes.put("error.type", e.getClass().getName()));
    return attributes;
  }

  /**
   * What it took, in the same names: tokens, and seconds.
   *
   * @return values of histograms
   */
  public Map<String, Double> metrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    Timings timings = result.timings();
    int generated = timings.generatedTokens();
    metrics.put("gen_ai.server.request.duration", seconds(duration));
    if (generated > 0) {
      metrics.put("gen_ai.server.time_to_first_token", seconds(timings.tokenTimes().getFirst()));
    }
    if (generated > 1) {
      Duration first = timings.tokenTimes().getFirst();
      Duration others = timings.tokenTimes().getLast().minus(first);
      metrics.put("gen_ai.server.time_per_output_token", seconds(others) / (generated - 1));
    }
    metrics.put("gen_ai.client.token.usage.input", (double) result.promptTokens());
    metrics.put("gen_ai.client.token.usage.output", (double) generated);
    metrics.put("llamaj.queue.duration", seconds(timings.queue()));
    metrics.put(
        "llamaj.prompt.cached_tokens", (double) (result.promptTokens() - timings.promptTokens()));
    return metrics;
  }

  private String finishReason() {
    return switch (result.finishReason()) {
      case END, STOP_STRING -> "stop";
      case MAX_TOKENS, CONTEXT_FULL -> "length";
      case TIME_LIMIT, CANCELLED -> result.finishReason().name().toLowerCase(Locale.ROOT);
    };
  }

  private static double seconds(Duration time) {
    return time.toNanos() / 1e9;
  }
}
