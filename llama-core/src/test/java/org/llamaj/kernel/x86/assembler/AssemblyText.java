package org.llamaj.kernel.x86.assembler;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads one line of assembly in Intel's syntax and gives it to the assembler under test. */
final class AssemblyText {
  private static final Pattern MEMORY =
      Pattern.compile("\\[(\\w+)(?:\\+(\\w+)\\*(\\d))?([+-]\\d+)?]");
  private static final Pattern VECTOR = Pattern.compile("([xyz])mm(\\d+)");

  private AssemblyText() {}

  static byte[] assemble(String line) {
    Assembler a = new Assembler();
    String[] split = line.split(" ", 2);
    String name = split[0].toUpperCase(Locale.ROOT);
    List<Operand> operands = new ArrayList<>();
    Long immediate = null;
    boolean dword = line.contains("dword ptr");
    boolean word = line.contains(" word ptr");
    boolean octet = line.contains(" byte ptr");
    for (String text : split.length == 1 ? new String[0] : split[1].split(", ")) {
      if (text.matches("-?\\d+")) {
        immediate = Long.valueOf(text);
      } else {
        operands.add(operand(text));
      }
    }
    spreadMask(split.length == 1 ? "" : split[1], operands);
    Operand[] o = operands.toArray(Operand[]::new);
    if (isVector(name)) {
      Instruction instruction = Instruction.valueOf(name);
      if (immediate == null) {
        a.v(instruction, o);
      } else {
        a.vi(instruction, immediate.intValue(), o);
      }
    } else {
      general(a, name, o, immediate, dword, word, octet);
    }
    return a.code();
  }

  private static boolean isVector(String name) {
    for (Instruction instruction : Instruction.values()) {
      if (instruction.name().equals(name)) {
        return true;
      }
    }
    return false;
  }

  /** A mask on a memory or mask destination is given with the vector source. */
  private static void spreadMask(String text, List<Operand> operands) {
    Matcher mask = Pattern.compile("\\{k(\\d)}").matcher(text.split(", ")[0]);
    if (!mask.find() || operands.getFirst() instanceof Vector) {
      return;
    }
    Vector source = (Vector) operands.get(1);
    operands.set(1, source.masked(Mask.values()[Integer.parseInt(mask.group(1))]));
  }

  private static Operand operand(String text) {
    Matcher memory = MEMORY.matcher(text);
    if (memory.find()) {
      int displacement = memory.group(4) == null ? 0 : Integer.parseInt(memory.group(4));
      Gpr base = gpr(memory.group(1));
      Address address =
          memory.group(2) == null
              ? Address.at(base, displacement)
              : Address.at(
                  base, gpr(memory.group(2)), Integer.parseInt(memory.group(3)), displacement);
      return text.contains("{1to") ? address.toAll() : address;
    }
    Matcher vector = VECTOR.matcher(text);
    if (vector.find()) {
      int bits = 128 << "xyz".indexOf(vector.group(1));
      Vector register = new Vector(Integer.parseInt(vector.group(2)), bits, Mask.K0);
      Matcher mask = Pattern.compile("\\{k(\\d)}").matcher(text);
      if (!mask.find()) {
        return register;
      }
      Mask lanes = Mask.values()[Integer.parseInt(mask.group(1))];
      return register.masked(lanes);
    }
    if (text.matches("tmm\\d")) {
      return Tile.tmm(text.charAt(3) - '0');
    }
    return text.matches("k\\d.*") ? Mask.values()[text.charAt(1) - '0'] : gpr(text);
  }

  private static Gpr gpr(String name) {
    String wide = name.startsWith("e") ? "r" + name.substring(1) : name;
    wide = wide.matches("[a-d][lx]") ? "r" + wide.charAt(0) + "x" : wide;
    String full = wide.matches("r\\d+[dwb]") ? wide.substring(0, wide.length() - 1) : wide;
    return Gpr.valueOf(full.toUpperCase(Locale.ROOT));
  }

  private static void general(
      Assembler a,
      String name,
      Operand[] o,
      Long immediate,
      boolean dword,
      boolean word,
      boolean octet) {
    switch (name) {
      case "VZEROUPPER" -> a.vzeroupper();
      case "RET" -> a.ret();
      case "CALL" -> a.call((Address) o[0]);
      case "CPUID" -> a.cpuid();
      case "XGETBV" -> a.xgetbv();
      case "PREFETCHT0" -> a.prefetcht0((Address) o[0]);
      case "PREFETCHT1" -> a.prefetcht1((Address) o[0]);
      case "PUSH" -> a.push((Gpr) o[0]);
      case "POP" -> a.pop((Gpr) o[0]);
      case "KMOVQ" -> a.kmovq((Mask) o[0], (Gpr) o[1]);
      case "VMOVD" -> {
        if (o[0] instanceof Gpr to) {
          a.vmovd(to, (Vector) o[1]);
        } else {
          a.vmovd((Vector) o[0], (Gpr) o[1]);
        }
      }
      case "MOV" -> mov(a, o, dword, word, octet);
      case "MOVZX" -> {
        if (word) {
          a.movzx16((Gpr) o[0], (Address) o[1]);
        } else {
          a.movzx8((Gpr) o[0], (Address) o[1]);
        }
      }
      case "IMUL" -> a.imul((Gpr) o[0], (Gpr) o[1], immediate.intValue());
      case "LEA" -> a.lea((Gpr) o[0], (Address) o[1]);
      default -> arithmetic(a, name, (Gpr) o[0], o.length > 1 ? o[1] : null, immediate);
    }
  }

  private static void mov(Assembler a, Operand[] o, boolean dword, boolean word, boolean octet) {
    if (o[0] instanceof Address to) {
      if (octet) {
        a.mov8(to, (Gpr) o[1]);
      } else if (word) {
        a.mov16(to, (Gpr) o[1]);
      } else if (dword) {
        a.mov32(to, (Gpr) o[1]);
      } else {
        a.mov(to, (Gpr) o[1]);
      }
    } else if (o[1] instanceof Address from) {
      if (dword) {
        a.mov32((Gpr) o[0], from);
      } else {
        a.mov((Gpr) o[0], from);
      }
    } else {
      a.mov((Gpr) o[0], (Gpr) o[1]);
    }
  }

  private static void arithmetic(Assembler a, String name, Gpr to, Operand from, Long immediate) {
    int value = immediate == null ? 0 : immediate.intValue();
    switch (name + (immediate != null ? " i" : from instanceof Address ? " m" : " r")) {
      case "ADD i" -> a.add(to, value);
      case "ADD m" -> a.add(to, (Address) from);
      case "ADD r" -> a.add(to, (Gpr) from);
      case "SUB i" -> a.sub(to, value);
      case "SUB r" -> a.sub(to, (Gpr) from);
      case "AND i" -> a.and(to, value);
      case "CMP i" -> a.cmp(to, value);
      case "CMP r" -> a.cmp(to, (Gpr) from);
      case "XOR r" -> a.xor(to, (Gpr) from);
      case "SHL i" -> a.shl(to, value);
      case "SHR i" -> a.shr(to, value);
      default -> throw new IllegalArgumentException(name);
    }
  }
}
