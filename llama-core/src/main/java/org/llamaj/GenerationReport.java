package org.llamaj;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.llamaj.sampling.Penalties;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.sampling.Temperature;
import org.llamaj.sampling.TopK;
import org.llamaj.sampling.TopP;

/**
 * What a generation was and what it took.
 *
 * @param operation {@code chat} or {@code text_completion}
 * @param model its file
 * @param options what was asked for
 * @param result text, tokens and timings
 * @param duration from the request to the end, the reader's time included
 * @param failure what ended it, if it failed
 */
public record GenerationReport(
    String operation,
    String model,
    GenerationOptions options,
    Generation result,
    Duration duration,
    Optional<Throwable> failure) {

  /**
   * What it was, in the names of OpenTelemetry's semantic conventions for generative AI.
   *
   * @return attributes of a span: strings, numbers, and one list of strings
   */
  public Map<String, Object> attributes() {
    Map<String, Object> attributes = new LinkedHashMap<>();
    attributes.put("gen_ai.operation.name", operation);
    attributes.put("gen_ai.provider.name", "llamaj");
    attributes.put("gen_ai.request.model", model);
    attributes.put("gen_ai.request.max_tokens", (long) options.maxTokens());
    options.sampling().steps().forEach(step -> describe(step, attributes));
    options.sampling().seed().ifPresent(seed -> attributes.put("gen_ai.request.seed", seed));
    attributes.put("gen_ai.usage.input_tokens", (long) result.promptTokens());
    attributes.put("gen_ai.usage.output_tokens", (long) result.tokens().size());
    attributes.put("gen_ai.response.finish_reasons", List.of(finishReason()));
    failure.ifPresent(e -> attributes.put("error.type", e.getClass().getName()));
    return attributes;
  }

  /** The steps for which there are names. */
  private static void describe(SamplingStep step, Map<String, Object> attributes) {
    switch (step) {
      case Temperature t -> attributes.put("gen_ai.request.temperature", decimal(t.value()));
      case TopK top -> attributes.put("gen_ai.request.top_k", (double) top.k());
      case TopP top -> attributes.put("gen_ai.request.top_p", decimal(top.p()));
      case Penalties penalties -> {
        attributes.put("gen_ai.request.frequency_penalty", decimal(penalties.frequency()));
        attributes.put("gen_ai.request.presence_penalty", decimal(penalties.presence()));
      }
      default -> {}
    }
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

  /** 0.95 for 0.95f, whose exact value is 0.949999988. */
  private static double decimal(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  private static double seconds(Duration time) {
    return time.toNanos() / 1e9;
  }
}
