package org.llamaj.kernel.cuda;

import java.util.HashMap;
import java.util.Map;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.CudaException;

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
    long module = loaded.computeIfAbsent(unit.name(), _ -> load(unit));
    return context.function(module, name);
  }

  /** What was kept on disk may be damaged. */
  private long load(KernelUnit unit) {
    KernelImages.Image image = images.image(unit);
    if (!image.fromDisk()) {
      return context.load(image.bytes());
    }
    try {
      return context.load(image.bytes());
    } catch (CudaException e) {
      if (e.isLost()) {
        throw e;
      }
      return context.load(images.compiled(unit).bytes());
    }
  }

  String description() {
    return images.description();
  }
}
