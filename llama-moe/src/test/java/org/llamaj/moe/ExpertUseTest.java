package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;

/** What the module tells about the use of experts, and how it has them read ahead. */
@Timeout(600)
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
    try (Arena arena = Arena.ofShared()) {
      ReadAhead readAhead = new ReadAhead(VirtualMemory.open(arena).orElseThrow());
      assertThat(readAhead.isUseful()).as("at the start").isTrue();
      int layers = 0;
      while (readAhead.isUseful()) { // with patience, for the process may have to wait meanwhile
        layers++;
      }
      assertThat(layers).as("until it gives up").isGreaterThan(1000);
    }
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void tellsWhatWasInMemoryAlready() throws IOException {
    try (Arena arena = Arena.ofShared()) {
      VirtualMemory memory = VirtualMemory.open(arena).orElseThrow();
      MemorySegment weights = map(arena, 20_000_000).asSlice(5000, 15_000_000);
      Expert expert = new Expert(null, List.of(weights));
      ReadAhead readAhead;
      do { // again if the system has dropped some meanwhile
        for (long i = 0; i < weights.byteSize(); i += 1024) {
          assertThat(weights.get(ValueLayout.JAVA_BYTE, i)).isZero();
        }
        readAhead = new ReadAhead(memory);
      } while (readAhead.request(expert) < 15_000_000);
      assertThat(readAhead.bytesAsked()).isEqualTo(15_000_000);
      assertThat(readAhead.bytesFound()).isEqualTo(15_000_000);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void locksTheExpertsThatAreUsedMost() throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment file = map(arena, 4 * 8192);
      Expert[] experts = new Expert[4];
      for (int i = 0; i < experts.length; i++) {
        experts[i] = new Expert(null, List.of(file.asSlice(i * 8192L, 8192)));
      }
      RoutingStatistics statistics = new RoutingStatistics(4);
      HotSet hotSet = new HotSet(VirtualMemory.open(arena).orElseThrow(), 2 * 8192 + 100);
      hotSet.add(experts, statistics);

      use(statistics, 3, 3, 3, 1, 1, 0);
      passes(hotSet, HotSet.REVIEW + 2);
      assertThat(experts).filteredOn(hotSet::isLocked).containsExactly(experts[1], experts[3]);
      assertThat(hotSet.lockedBytes()).isEqualTo(2 * 8192);

      use(statistics, 0, 0, 0, 0, 0);
      passes(hotSet, HotSet.REVIEW + 2);
      assertThat(experts)
          .as("older choices count less")
          .filteredOn(hotSet::isLocked)
          .containsExactly(experts[0], experts[3]);
      assertThat(hotSet.lockedBytes()).isEqualTo(2 * 8192);
      assertThat(hotSet.wasRefused()).isFalse();
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aRefusedLockIsNoFailure() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment nowhere = MemorySegment.ofAddress(4096).reinterpret(8192);
      Expert[] experts = {new Expert(null, List.of(nowhere))};
      RoutingStatistics statistics = new RoutingStatistics(1);
      HotSet hotSet = new HotSet(VirtualMemory.open(arena).orElseThrow(), 8192);
      hotSet.add(experts, statistics);
      use(statistics, 0);
      passes(hotSet, 2 * HotSet.REVIEW);
      assertThat(hotSet.wasRefused()).isTrue();
      assertThat(hotSet.lockedBytes()).isZero();
    }
  }

  @Test
  void pinningChangesNoResult() {
    float[][] plain;
    try (LlamaModel model = LlamaModel.load(golden.model())) {
      plain = GoldenAssertions.logits(model, golden.prompt(), 1).toArray(float[][]::new);
    }
    try (LlamaModel model = LlamaModel.builder(golden.model()).pinExperts(4 << 20).load()) {
      for (int passes = 0; passes < 2 * HotSet.REVIEW; passes += golden.prompt().length) {
        GoldenAssertions.logits(model, golden.prompt(), 1);
      }
      assumeThat(model.describe()).as("the system allows to lock").doesNotContain(" 0 MiB pinned");
      List<float[]> pinned = GoldenAssertions.logits(model, golden.prompt(), 1);
      assertThat(pinned.toArray(float[][]::new)).isDeepEqualTo(plain);
      assertThat(model.describe()).contains("1 MiB pinned");
    }
  }

  private MemorySegment map(Arena arena, int bytes) throws IOException {
    Path file = Files.write(folder.resolve("weights"), new byte[bytes]);
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(MapMode.READ_ONLY, 0, bytes, arena);
    }
  }

  private static void use(RoutingStatistics statistics, int... experts) {
    Dispatch dispatch = new Dispatch(experts.length, 4, 1);
    for (int token = 0; token < experts.length; token++) {
      dispatch.choose(token, 0, experts[token], 1);
    }
    dispatch.group(experts.length);
    statistics.count(dispatch);
  }

  private static void passes(HotSet hotSet, int count) {
    for (int i = 0; i < count; i++) {
      hotSet.advance();
    }
  }
}
