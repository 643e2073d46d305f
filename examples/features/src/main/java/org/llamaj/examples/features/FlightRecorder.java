package org.llamaj.examples.features;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;

/** What Java Flight Recorder sees of a model. */
public final class FlightRecorder {
  private FlightRecorder() {}

  /**
   * Records a short text.
   *
   * @param args none
   * @throws IOException if the recording cannot be written
   */
  public static void main(String[] args) throws IOException {
    Path file = Files.createTempFile("llamaj-", ".jfr");
    try (Recording recording = new Recording()) {
      for (String event : new String[] {"Load", "Queue", "Prefill", "Decode", "Step"}) {
        recording.enable("org.llamaj." + event);
      }
      recording.start();
      try (LlamaModel model = DemoModel.builder().load()) {
        model.prompt("Once there was a").temperature(0).maxTokens(12).generate();
      }
      recording.stop();
      recording.dump(file);
      RecordingFile.readAllEvents(file).stream()
          .collect(
              Collectors.groupingBy(
                  (RecordedEvent event) -> event.getEventType().getName(),
                  TreeMap::new,
                  Collectors.counting()))
          .forEach((name, count) -> System.out.println(name + " " + count));
    } finally {
      Files.delete(file);
    }
  }
}
