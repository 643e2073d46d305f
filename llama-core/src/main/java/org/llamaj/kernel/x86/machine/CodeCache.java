package org.llamaj.kernel.x86.machine;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The functions of one model's kernels, assembled when first asked for. For one thread at a time.
 */
public final class CodeCache implements AutoCloseable {
  private final Map<Object, MachineCode> functions = new HashMap<>();

  /**
   * A function.
   *
   * @param key what it was made for: a value unlike that of any other function
   * @param assembler makes it
   */
  public MachineCode get(Object key, Supplier<byte[]> assembler) {
    MachineCode found = functions.get(key);
    if (found == null) {
      found = new MachineCode(assembler.get());
      functions.put(key, found);
    }
    return found;
  }

  @Override
  public void close() {
    functions.values().forEach(MachineCode::close);
    functions.clear();
  }
}
