package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MachineTest {

  @Test
  void readsTheNameOfTheProcessor() {
    assertThat(Machine.cpuIn(Stream.of("vendor_id : AuthenticAMD", "model name\t: AMD EPYC 9R14")))
        .isEqualTo("AMD EPYC 9R14");
    assertThat(Machine.cpuIn(Stream.of("BogoMIPS : 50.00", "CPU part : 0xd40")))
        .isEqualTo(System.getProperty("os.arch"));
  }

  @Test
  void readsResidentMemory() {
    List<String> status =
        List.of(
            "Name:\tjava",
            "VmHWM:\t    4000 kB",
            "VmRSS:\t    3000 kB",
            "RssAnon:\t    1000 kB",
            "RssFile:\t    2000 kB");
    assertThat(ResidentMemory.parse(status))
        .contains(new ResidentMemory(3000 << 10, 4000 << 10, 1000 << 10, 2000 << 10));
    assertThat(ResidentMemory.parse(status.subList(0, 3))).isEmpty();
  }
}
