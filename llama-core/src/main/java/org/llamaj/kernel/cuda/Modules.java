package org.llamaj.kernel.cuda;

import java.util.HashMap;
import java.util.Map;
import org.llamaj.kernel.cuda.driver.Context;

/** Units of kernels on the device, loaded when they are first needed. */
final class Modules {
  private final Context context;
  private final KernelImages images;
  private final Map<String, Long> loaded = new HashMap<>();

  Modules(Context context, KernelImages images) {
    this.context = context;
    this.images = images;
  }

  /** Finds a kernel of a unit. */
  long function(KernelUnit unit, String name) {
    long module = loaded.computeIfAbsent(unit.name(), _ -> context.load(images.image(unit)));
    return context.function(module, name);
  }

  String description() {
    return images.description();
  }
}
