package org.llamaj.kernel.x86.assembler;

/** A place in the code, named before or after it is known. Belongs to one assembler. */
public final class Label {
  private static final int UNBOUND = -1;

  private int position = UNBOUND;

  /** Makes a label that {@link Assembler#bind} gives its place. */
  public Label() {}

  void bind(int place) {
    if (position != UNBOUND) {
      throw new IllegalStateException("label bound twice");
    }
    position = place;
  }

  int position() {
    if (position == UNBOUND) {
      throw new IllegalStateException("label used but never bound");
    }
    return position;
  }
}
