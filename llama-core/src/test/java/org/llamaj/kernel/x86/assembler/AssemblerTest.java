package org.llamaj.kernel.x86.assembler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AssemblerTest {

  static List<String> encodings() throws IOException {
    try (InputStream file = AssemblerTest.class.getResourceAsStream("encodings.txt")) {
      return new String(file.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("encodings")
  void encodesAsTheGnuAssemblerDoes(String line) {
    String[] sides = line.split(" = ");

    byte[] code = AssemblyText.assemble(sides[0]);

    assertThat(HexFormat.of().formatHex(code)).as(sides[0]).isEqualTo(sides[1]);
  }

  @Test
  void everyVectorInstructionIsCompared() throws IOException {
    List<String> lines = encodings();

    for (Instruction instruction : Instruction.values()) {
      String name = instruction.name().toLowerCase(java.util.Locale.ROOT) + " ";
      assertThat(lines).as(name).anyMatch(line -> line.startsWith(name));
    }
  }

  @Test
  void jumpsReachLabelsBeforeAndAfter() {
    Assembler a = new Assembler();
    Label start = new Label();
    Label end = new Label();
    a.bind(start);
    a.j(Condition.NOT_EQUAL, end);
    a.jmp(start);
    a.bind(end);
    a.ret();

    assertThat(HexFormat.of().formatHex(a.code())).isEqualTo("0f8505000000e9f5ffffffc3");
  }

  @Test
  void constantsAreReachedRelativeToTheEndOfTheInstruction() {
    Assembler a = new Assembler();
    Label constant = new Label();
    a.vi(Instruction.VPSHUFD, 0x1b, Vector.xmm(0), Address.at(constant).plus(4));
    a.ret();
    a.bind(constant);
    a.ints(1, 2);

    // The displacement counts from after the immediate, where RET is: constant + 4 is 5 further.
    assertThat(HexFormat.of().formatHex(a.code()))
        .isEqualTo("c5f97005050000001bc30100000002000000");
  }

  @Test
  void refusesWhatTheHardwareCannotDo() {
    Assembler a = new Assembler();

    assertThatThrownBy(() -> a.v(Instruction.VPAND, Vector.zmm(0), Vector.zmm(1), Vector.zmm(2)))
        .hasMessage("VPAND has no EVEX form");
    assertThatThrownBy(() -> a.v(Instruction.VADDPS, Vector.zmm(0), Vector.zmm(1)))
        .hasMessage("VADDPS: wrong operands");
    assertThatThrownBy(() -> Vector.zmm(32)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Address.at(Gpr.RAX, Gpr.RSP, 1, 0))
        .isInstanceOf(IllegalArgumentException.class);
    a.jmp(new Label());
    assertThatThrownBy(a::code).hasMessage("label used but never bound");
  }
}
