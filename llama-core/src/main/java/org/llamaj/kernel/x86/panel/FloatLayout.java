package org.llamaj.kernel.x86.panel;

import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.tensor.ElementType;

/**
 * Weights of any type in float32: panels are [values][16], tiles [values][tokens].
 *
 * @param avx512 else AVX2
 */
public record FloatLayout(boolean avx512) implements WholePanels {
  @Override
  public int panelRows() {
    return PanelFormat.ROWS;
  }

  @Override
  public int mostTokens() {
    return FloatGemmCode.mostTokens(avx512);
  }

  @Override
  public int tokenStep() {
    return 1;
  }

  @Override
  public int steps(int values) {
    return values;
  }

  @Override
  public long panelBytes(int values) {
    return 4L * values * PanelFormat.ROWS;
  }

  @Override
  public long tileBytes(int values, int tokens) {
    return 4L * values * tokens;
  }

  @Override
  public byte[] panelCode(ElementType type, int values) {
    return FloatPanelCode.assemble(type, values, avx512);
  }

  @Override
  public byte[] tileCode(int tokens) {
    return FloatTileCode.assemble(tokens, false);
  }

  @Override
  public byte[] productCode(int tokens, int linesAhead) {
    return FloatGemmCode.assemble(tokens, avx512, Instruction.VFMADD231PS);
  }
}
