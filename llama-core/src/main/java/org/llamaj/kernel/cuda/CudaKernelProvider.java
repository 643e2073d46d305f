package org.llamaj.kernel.cuda;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.llamaj.LlamaException;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Offload;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Device;
import org.llamaj.kernel.cuda.driver.Driver;
import org.llamaj.kernel.cuda.driver.Nvrtc;

/** Offers kernels for NVIDIA's devices of compute capability 8.0 (Ampere) or better. */
public final class CudaKernelProvider implements KernelProvider {
  private static final int PRIORITY = 300;
  private static final int OLDEST_MAJOR = 8;

  /** Made by {@link ServiceLoader}. */
  public CudaKernelProvider() {}

  /** A driver with a device that will do, or why there is none. */
  private record Support(Driver driver, List<Device> devices, String reason) {
    static Support none(String reason) {
      return new Support(null, List.of(), reason);
    }
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public int priority() {
    return PRIORITY;
  }

  @Override
  public boolean isDevice() {
    return true;
  }

  @Override
  public Optional<String> unavailable() {
    return Optional.ofNullable(support().reason());
  }

  @Override
  public Kernels open(Workers workers) {
    return open(workers, Offload.EVERYTHING);
  }

  @Override
  public Kernels open(Workers workers, Offload offload) {
    Support support = support();
    if (support.reason() != null) {
      throw new LlamaException("CUDA kernels: " + support.reason());
    }
    if (offload.device() >= support.devices().size()) {
      throw new LlamaException(
          "expected one of %d CUDA devices, found number %d: %s"
              .formatted(support.devices().size(), offload.device(), support.devices()));
    }
    Device device = support.devices().get(offload.device());
    requireCapability(device);
    Context context = new Context(support.driver(), device);
    Kernels host = null;
    try {
      host = openHost(workers);
      KernelImages images = new KernelImages(device.architecture(), Nvrtc.open());
      return new CudaKernels(context, images, host, offload);
    } catch (RuntimeException | Error e) {
      context.close();
      if (host != null) {
        host.close();
      }
      throw e;
    }
  }

  private static void requireCapability(Device device) {
    if (device.major() < OLDEST_MAJOR) {
      throw new LlamaException("CUDA kernels: " + tooOld(device));
    }
  }

  private static String tooOld(Device device) {
    return "made for compute capability %d.0 or better, found %s".formatted(OLDEST_MAJOR, device);
  }

  /** The best of the other kernels that can run. */
  private static Kernels openHost(Workers workers) {
    return ServiceLoader.load(KernelProvider.class, KernelProvider.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> !provider.isDevice() && provider.unavailable().isEmpty())
        .max(Comparator.comparingInt(KernelProvider::priority))
        .orElseThrow(() -> new LlamaException("no kernels for the processor are installed"))
        .open(workers);
  }

  private static Support support() {
    try {
      Optional<Driver> driver = Driver.open();
      if (driver.isEmpty()) {
        return Support.none("no NVIDIA driver found");
      }
      List<Device> devices = driver.get().devices();
      if (devices.isEmpty()) {
        return Support.none("the NVIDIA driver sees no device");
      }
      if (devices.stream().allMatch(device -> device.major() < OLDEST_MAJOR)) {
        return Support.none(tooOld(devices.getFirst()));
      }
      return new Support(driver.get(), devices, null);
    } catch (CudaException e) {
      return Support.none(e.getMessage());
    } catch (IllegalCallerException | LinkageError e) {
      return Support.none(
          "native access is denied to this module; start java with --enable-native-access="
              + moduleName());
    }
  }

  private static String moduleName() {
    Module module = CudaKernelProvider.class.getModule();
    return module.isNamed() ? module.getName() : "ALL-UNNAMED";
  }
}
