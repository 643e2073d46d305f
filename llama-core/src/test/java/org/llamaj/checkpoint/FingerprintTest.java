package org.llamaj.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.llamaj.TestModels;

class FingerprintTest {

  @Test
  void tellsModelsApartAndSaysThatOneIsClosed() {
    Checkpoint checkpoint = Checkpoint.open(TestModels.small());
    byte[] print = Fingerprint.of(checkpoint, "");
    assertThat(print).hasSize(Fingerprint.LENGTH).isEqualTo(Fingerprint.of(checkpoint, ""));
    assertThat(Fingerprint.of(checkpoint, "Q8_0")).isNotEqualTo(print);
    try (Checkpoint other = Checkpoint.open(TestModels.quantised())) {
      assertThat(Fingerprint.of(other, "")).isNotEqualTo(print);
    }
    checkpoint.close();
    assertThatThrownBy(() -> Fingerprint.of(checkpoint, ""))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("closed");
  }
}
