package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DownloadCommandTest {
  @Test
  void placesThatAreNotOnTheHubAreWrongUsage() {
    Run run = Run.of("download", "model.gguf");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .contains("expected a model on the Hub, hf:owner/name, found 'model.gguf'");
  }

  @Test
  void namesThatCannotBeOnTheHubAreRefusedBeforeAnythingIsAsked() {
    Run run = Run.of("download", "hf:nobody");
    assertThat(run.status()).isOne();
    assertThat(run.err()).contains("hf:nobody");
  }
}
