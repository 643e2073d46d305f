package org.llamaj.kernel.x86.attention;

import java.lang.foreign.ValueLayout;
import org.llamaj.kernel.x86.machine.CodeCache;
import org.llamaj.kernel.x86.machine.Scratch;
import org.llamaj.kernel.x86.machine.ShapedCode;

/**
 * Attention to parts of a context, to be put together: the outputs of a query for each part, with
 * the largest score and the sum of weights they are relative to. Neighbouring slots are the parts
 * of one query.
 */
final class Partials implements AutoCloseable {
  private final ShapedCode combine;
  private final Scratch outputs = new Scratch();
  private final Scratch weights = new Scratch();
  private float[] maxima = {};
  private float[] sums = {};
  private int headDim;

  Partials(CodeCache cache) {
    combine = new ShapedCode(cache, (length, unused) -> CombineCode.assemble(length));
  }

  /** Makes room; forgets what was there. */
  void reset(int slots, int vectorLength) {
    headDim = vectorLength;
    outputs.address(4L * slots * vectorLength);
    if (maxima.length < slots) {
      maxima = new float[slots];
      sums = new float[slots];
    }
  }

  /** Where the output of a slot goes. */
  long output(int slot) {
    return outputs.memory().address() + 4L * slot * headDim;
  }

  /** What the output of a slot is relative to: scores in units of log 2. */
  void set(int slot, float maximum, float sum) {
    maxima[slot] = maximum;
    sums[slot] = sum;
  }

  /** Puts together the parts of one query. */
  void combine(int firstSlot, int parts, long target) {
    float maximum = maxima[firstSlot];
    for (int i = 1; i < parts; i++) {
      maximum = Math.max(maximum, maxima[firstSlot + i]);
    }
    double total = 0;
    for (int i = 0; i < parts; i++) {
      int slot = firstSlot + i;
      sums[slot] *= (float) Math.exp((maxima[slot] - maximum) * Math.log(2));
      total += sums[slot];
    }
    long weightAddress = weights.address(4L * parts);
    for (int i = 0; i < parts; i++) {
      float weight = (float) (sums[firstSlot + i] / total);
      weights.memory().setAtIndex(ValueLayout.JAVA_FLOAT, i, weight);
    }
    combine.get(headDim, 0).callShort(output(firstSlot), weightAddress, target, parts, 0, 0);
  }

  @Override
  public void close() {
    outputs.close();
    weights.close();
  }
}
