package org.llamaj;

/**
 * Is told of every generation, for metrics and traces. Depends on no library: {@link
 * GenerationReport} speaks the names of OpenTelemetry's conventions for generative AI, so that a
 * few lines hand them on.
 *
 * <pre>{@code
 * LlamaModel.builder(file)
 *     .onGeneration(report -> report.metrics().forEach(meter::record))
 *     .load();
 * }</pre>
 *
 * <p>Called on the thread that reads the text, when it has ended; what it throws is logged.
 */
@FunctionalInterface
public interface GenerationListener {

  /**
   * A generation has ended.
   *
   * @param report what it was and what it took
   */
  void onEnd(GenerationReport report);
}
