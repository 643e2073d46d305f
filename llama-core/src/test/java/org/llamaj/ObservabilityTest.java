package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObservabilityTest {

  @Test
  void aListenerIsToldOfEachGenerationInOpenTelemetrysNames() {
    List<GenerationReport> reports = new ArrayList<>();
    try (LlamaModel model = builder().onGeneration(reports::add).load()) {
      Generation text = model.prompt("the quick").maxTokens(12).temperature(0).seed(5).generate();
      try (ChatSession chat = model.chat().temperature(0).maxTokens(3).open()) {
        chat.send("x");
      }
      assertThatThrownBy(() -> model.generate("long ".repeat(1000)))
          .isInstanceOf(LlamaException.class);
      assertThat(reports).hasSize(3);
      assertThat(reports.get(0).result()).isEqualTo(text);
      assertThat(reports.get(0).attributes())
          .containsEntry("gen_ai.operation.name", "text_completion")
          .containsEntry("gen_ai.request.max_tokens", 12L)
          .containsEntry("gen_ai.request.temperature", 0.0)
          .containsEntry("gen_ai.request.top_k", 40.0)
          .containsEntry("gen_ai.request.seed", 5L)
          .containsEntry("gen_ai.usage.output_tokens", 12L)
          .containsEntry("gen_ai.response.finish_reasons", List.of("length"))
          .doesNotContainKey("error.type");
      assertThat(reports.get(0).metrics())
          .containsKeys(
              "gen_ai.server.request.duration",
              "gen_ai.server.time_to_first_token",
              "gen_ai.server.time_per_output_token")
          .containsEntry("gen_ai.client.token.usage.output", 12.0);
      assertThat(reports.get(1).attributes()).containsEntry("gen_ai.operation.name", "chat");
      assertThat(reports.get(2).attributes())
          .containsEntry("error.type", LlamaException.class.getName());
    }
  }

  @Test
  void aListenerThatFailsDisturbsNobody() {
    GenerationListener broken =
        _ -> {
          throw new IllegalStateException("broken");
        };
    try (LlamaModel model = builder().onGeneration(broken).load()) {
      assertThat(model.prompt("a").maxTokens(2).generate().tokens()).isNotEmpty();
    }
  }

  @Test
  void flightRecorderIsTold(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("llamaj.jfr");
    try (Recording recording = new Recording()) {
      for (String name : List.of("Load", "Queue", "Prefill", "Decode", "Step")) {
        recording.enable("org.llamaj." + name).withoutThreshold();
      }
      recording.start();
      try (LlamaModel model = builder().load()) {
        model.prompt("the quick").maxTokens(12).temperature(0).generate();
      }
      recording.stop();
      recording.dump(file);
    }
    Map<String, List<RecordedEvent>> events =
        RecordingFile.readAllEvents(file).stream()
            .collect(Collectors.groupingBy(event -> event.getEventType().getLabel()));
    assertThat(events).containsOnlyKeys("Load", "Queue", "Prefill", "Decode", "Step");
    assertThat(events.get("Load").getFirst().getString("kernels")).isEqualTo("scalar");
    assertThat(events.get("Prefill").getFirst().getInt("tokens")).isPositive();
    assertThat(events.get("Decode").getFirst().getInt("tokens")).isEqualTo(12);
    assertThat(events.get("Step")).hasSize(12);
  }

  private static ModelBuilder builder() {
    return LlamaModel.builder(TestModels.small()).kernels("scalar").contextLength(600);
  }
}
