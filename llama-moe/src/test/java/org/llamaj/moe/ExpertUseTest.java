package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;

/** What the module tells about the use of experts, and how it has them read ahead. */
class ExpertUseTest {
  private final GoldenCase golden =
      GoldenCase.all("text", ExpertUseTest.class).stream()
          .filter(c -> c.name().equals("mixtral-F32"))
          .findFirst()
          .orElseThrow();

  @TempDir private Path folder;

  @Test
  void theDescriptionCountsChoices() {
    try (LlamaModel model = LlamaModel.load(golden.model())) {
      assertThat(model.describe()).contains("8 in each of 3 layers, 2 used; not used yet");
      GoldenAssertions.logits(model, golden.prompt(), 512);
      assertThat(model.describe())
          .contains("%d choices so far".formatted(3 * 2 * golden.prompt().length))
          .containsPattern(" [3-9]\\d % of the busiest quarter");
    }
  }

  @Test
  void statisticsFindTheBusiestQuarter() {
    Dispatch dispatch = new Dispatch(10, 6, 1);
    RoutingStatistics statistics = new RoutingStatistics(6);
    for (int token = 0; token < 10; token++) {
      dispatch.choose(token, 0, token < 5 ? 4 : token < 8 ? 1 : token - 6, 1);
    }
    dispatch.group(10);
    statistics.count(dispatch);
    statistics.count(dispatch);
    assertThat(statistics.total()).isEqualTo(20);
    assertThat(statistics.ofBusiestQuarter()).as("two of six").isEqualTo(16);
  }

  @Test
  void flightRecorderSeesEachLayer() throws IOException {
    Path file = folder.resolve("experts.jfr");
    try (Recording recording = new Recording();
        LlamaModel model = LlamaModel.load(golden.model())) {
      recording.enable("org.llamaj.Experts");
      recording.start();
      GoldenAssertions.logits(model, new int[] {7}, 1);
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events =
        RecordingFile.readAllEvents(file).stream()
            .filter(event -> event.getEventType().getName().equals("org.llamaj.Experts"))
            .toList();
    assertThat(events).extracting(event -> event.getInt("layer")).containsExactly(0, 1, 2);
    assertThat(events).allSatisfy(event -> assertThat(event.getInt("experts")).isEqualTo(2));
    assertThat(events.getFirst().getLong("weightBytes")).isEqualTo(2 * 3 * 64 * 96 * 4);
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void readsAheadAsLongAsTheDiskIsWaitedFor() throws IOException {
    Path file = Files.write(folder.resolve("weights"), new byte[100_000]);
    try (Arena arena = Arena.ofShared();
        FileChannel channel = FileChannel.open(file)) {
      ReadAhead readAhead = ReadAhead.open(arena).orElseThrow();
      var weights = channel.map(MapMode.READ_ONLY, 0, 100_000, arena);
      readAhead.request(new Expert(null, List.of(weights.asSlice(5000, 70_000))));
      assertThat(readAhead.bytesRequested()).isEqualTo(70_000);
      assertThat(readAhead.isUseful()).as("at the start").isTrue();
      int layers = 0;
      while (readAhead.isUseful() && layers < 10_000_000) {
        layers++;
      }
      assertThat(layers).as("until it gives up").isBetween(1000, 1_000_000);
    }
  }
}
