package org.llamaj.kernel.cuda;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Offload;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.tensor.Tensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides where each weight matrix lives. */
final class DeviceWeights {
  private static final Logger LOG = LoggerFactory.getLogger(DeviceWeights.class);

  private final Context context;
  private final Kernels host;
  private final Modules modules;
  private final WeightUpload upload;
  private final Offload offload;
  private final Map<WeightFormat, Products> products = new EnumMap<>(WeightFormat.class);
  private int onDevice;
  private int onHost;
  private long bytes;
  private boolean full;

  DeviceWeights(
      Context context, Kernels host, Modules modules, WeightUpload upload, Offload offload) {
    this.context = context;
    this.host = host;
    this.modules = modules;
    this.upload = upload;
    this.offload = offload;
  }

  /** A new matrix. The embedding table waits: only if it is the output, too, is it multiplied. */
  CudaWeightMatrix place(Tensor tensor) {
    return tensor.name().equals("token_embd.weight")
        ? new CudaWeightMatrix.Undecided(tensor)
        : decide(tensor);
  }

  /** For a product. */
  CudaWeightMatrix decided(CudaWeightMatrix matrix) {
    if (matrix instanceof CudaWeightMatrix.Undecided undecided) {
      if (undecided.decided() == null) {
        undecided.decide(decide(undecided.tensor()));
      }
      return undecided.decided();
    }
    return matrix;
  }

  private CudaWeightMatrix decide(Tensor tensor) {
    Optional<WeightFormat> format = WeightFormat.of(tensor.type());
    if (format.isPresent() && offload.takes(tensor.name()) && hasRoom(tensor, format.get())) {
      try {
        CudaWeightMatrix matrix = upload.upload(tensor, format.get(), products(format.get()));
        onDevice++;
        bytes += WeightUpload.bytes(tensor, format.get());
        return matrix;
      } catch (CudaException e) {
        if (!e.isOutOfMemory()) {
          throw e;
        }
        warnFull(tensor);
      }
    }
    onHost++;
    return new CudaWeightMatrix.OnHost(host.weightMatrix(tensor));
  }

  /** Once something did not fit, only smaller matrices of later layers would: none is taken. */
  private boolean hasRoom(Tensor tensor, WeightFormat format) {
    if (full) {
      return false;
    }
    long needed = WeightUpload.bytes(tensor, format);
    if (needed > context.freeMemory() - offload.reservedBytes()) {
      warnFull(tensor);
      return false;
    }
    return true;
  }

  private void warnFull(Tensor tensor) {
    full = true;
    LOG.warn(
        "{}: no room for {} and what follows: these weights stay in main memory, and the processor multiplies with them; fewer layers on the device, a shorter context or a smaller weight type change that",
        context.device().name(),
        tensor.name());
  }

  private Products products(WeightFormat format) {
    return products.computeIfAbsent(
        format,
        f -> {
          KernelUnit unit = KernelUnit.products(f);
          return new Products(
              f, context.device().multiprocessors(), name -> modules.function(unit, name));
        });
  }

  String description() {
    return "%d of %d weight matrices there, %d MiB"
        .formatted(onDevice, onDevice + onHost, bytes >> 20);
  }

  boolean hasSomeOnHost() {
    return onHost > 0;
  }
}
