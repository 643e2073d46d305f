package org.llamaj.kernel.x86.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.llamaj.kernel.x86.X86KernelProvider;
import org.llamaj.kernel.x86.assembler.Assembler;

class MachineCodeTest {

  @Test
  void codeIsNotWritable() throws IOException {
    assumeTrue(new X86KernelProvider().unavailable().isEmpty());
    Assembler a = new Assembler();
    a.ret();
    try (MachineCode code = new MachineCode(a.code())) {
      code.call(0, 0, 0, 0, 0, 0);

      assertThat(permissions(code.address())).isEqualTo("r-xp");
    }
  }

  private static String permissions(long address) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] range = line.split(" ")[0].split("-");
      if (Long.parseUnsignedLong(range[0], 16) <= address
          && address < Long.parseUnsignedLong(range[1], 16)) {
        return line.split(" ")[1];
      }
    }
    throw new AssertionError("not mapped");
  }
}
