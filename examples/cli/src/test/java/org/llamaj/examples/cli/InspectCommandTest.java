package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InspectCommandTest {

  @Test
  void showsMetadataTensorsAndNeeds() {
    Run run = Run.of("inspect");
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .contains("36 metadata keys", "47 tensors")
        .containsPattern("llama\\.block_count +uint32 +5\\R")
        .containsPattern("tokenizer\\.ggml\\.tokens +string\\[2048] +\\[\"!\".*2048 in all]\\R")
        .containsPattern("blk\\.4\\.ffn_up\\.weight +Q8_0 +\\[512, 256] +136\\.0 KiB\\R")
        .contains("5 layers")
        // The cache: 2 x 5 layers x 1024 tokens x 4 heads x 32 values of 2 bytes.
        .containsPattern("memory +3\\.5 MiB of weights, 2\\.5 MiB of cache for 1024 tokens");
    assertThat(run.out().lines()).allMatch(line -> line.length() < 300);
  }

  @Test
  void countsTheCacheInTheTypeAskedFor() {
    assertThat(Run.of("inspect", "--cache-type", "f32", "--context", "512").out())
        .contains("2.5 MiB of cache for 512 tokens");
  }

  @Test
  void takesLongContextsByTheirUsualNames() {
    assertThat(Run.of("inspect", "--context", "10M", "--kv", "q8_0").out())
        .contains("of cache for 10485760 tokens");
    Run run = Run.of("inspect", "--context", "10 miles");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("4096, 128k or 10M", "10 miles");
    assertThat(Run.of("inspect", "--context", "3G").status()).isEqualTo(2);
    assertThat(Run.of("inspect", "--pin-experts", "9999999T").status()).isEqualTo(2);
  }

  @Test
  void printsAWholeValue() {
    Run run = Run.of("inspect", "--key", "tokenizer.chat_template");
    assertThat(run.out()).startsWith("{{- '<|begin_of_text|>' }}\n").endsWith("%}\n");
    assertThat(Run.of("inspect", "--key", "tokenizer.ggml.tokens").out())
        .startsWith("\"!\"\n\"\\\"\"\n\"#\"\n")
        .hasLineCount(2048);
  }

  @Test
  void namesAMissingKey() {
    Run run = Run.of("inspect", "--key", "llama.wings");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("llama.wings").hasLineCount(1);
  }
}
