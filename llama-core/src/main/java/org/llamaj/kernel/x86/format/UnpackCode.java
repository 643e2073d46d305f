package org.llamaj.kernel.x86.format;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.tensor.ElementType;

/** Turns a row of weights into floats: embedding lookup. */
public final class UnpackCode {
  private UnpackCode() {}

  /**
   * Arguments: address of the row, of the floats.
   *
   * @param values in the row, a multiple of 16 and of the type's block size
   */
  public static byte[] assemble(ElementType type, int values) {
    Gpr source = Gpr.RDI;
    Gpr target = Gpr.RSI;
    KernelBuilder k = new KernelBuilder(RowReader.FRAME_BYTES);
    Assembler a = k.a;
    RowReader reader = new RowReader(k, type, source, target);
    reader.constants();
    k.repeat(
        values / RowReader.RECORD_VALUES,
        Gpr.RAX,
        () -> {
          reader.toFloats(RowReader.RECORD_VALUES);
          a.add(source, (int) type.rowBytes(RowReader.RECORD_VALUES));
          a.add(target, 4 * RowReader.RECORD_VALUES);
        });
    reader.toFloats(values % RowReader.RECORD_VALUES);
    return k.finish();
  }
}
