package org.llamaj.kernel.x86.panel;

import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.tensor.ElementType;

/**
 * BF16 weights and activations rounded to the same type, for AVX512-BF16: {@link FloatLayout} with
 * a pair of neighbouring values in the place of a float. Sums are in float32.
 */
public record PairLayout() implements WholePanels {
  @Override
  public int panelRows() {
    return PanelFormat.ROWS;
  }

  @Override
  public int mostTokens() {
    return FloatGemmCode.mostTokens(true);
  }

  @Override
  public int tokenStep() {
    return 1;
  }

  @Override
  public int steps(int values) {
    return values / 2;
  }

  @Override
  public long panelBytes(int values) {
    return 2L * values * PanelFormat.ROWS;
  }

  @Override
  public long tileBytes(int values, int tokens) {
    return 2L * values * tokens;
  }

  @Override
  public byte[] panelCode(ElementType type, int values) {
    if (type != ElementType.BF16) {
      throw new IllegalArgumentException(type.toString());
    }
    // Floats are moved bit by bit, so pairs may pass as such.
    return FloatPanelCode.assemble(ElementType.F32, values / 2, true);
  }

  @Override
  public byte[] tileCode(int tokens) {
    return FloatTileCode.assemble(tokens, true);
  }

  @Override
  public byte[] productCode(int tokens, int linesAhead) {
    return FloatGemmCode.assemble(tokens, true, Instruction.VDPBF16PS);
  }
}
