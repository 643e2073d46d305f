package org.llamaj.kernel.x86.machine;

/** A function that is made for two sizes; the last ones asked for are at hand without a look-up. */
public final class ShapedCode {
  /** Makes the function. */
  @FunctionalInterface
  public interface Maker {
    byte[] assemble(int first, int second);
  }

  private final CodeCache cache;
  private final Maker maker;
  private MachineCode recent;
  private int recentFirst;
  private int recentSecond;

  private record Key(Maker maker, int first, int second) {}

  /**
   * @param maker makes the function for two sizes
   */
  public ShapedCode(CodeCache cache, Maker maker) {
    this.cache = cache;
    this.maker = maker;
  }

  /** The function for these sizes. */
  public MachineCode get(int first, int second) {
    if (recent == null || recentFirst != first || recentSecond != second) {
      recent = cache.get(new Key(maker, first, second), () -> maker.assemble(first, second));
      recentFirst = first;
      recentSecond = second;
    }
    return recent;
  }
}
