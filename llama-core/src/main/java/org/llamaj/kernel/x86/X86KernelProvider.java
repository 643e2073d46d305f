package org.llamaj.kernel.x86;

import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.llamaj.LlamaException;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.kernel.x86.machine.Processor;
import org.llamaj.kernel.x86.machine.SystemCalls;

/**
 * Offers kernels in machine code that is assembled at run time, on Linux and x86-64 with AVX2 or
 * better. The system property {@value #LEVEL_PROPERTY} ({@code avx2}, {@code avxvnni}, {@code
 * avx512}, {@code avx512vnni}, {@code avx512bf16}, {@code amx}) makes them use less than the
 * processor has.
 */
public final class X86KernelProvider implements KernelProvider {
  static final String LEVEL_PROPERTY = "llamaj.x86.level";
  private static final int PRIORITY = 200;

  /** Made by {@link ServiceLoader}. */
  public X86KernelProvider() {}

  /** The level to use, or why there is none. */
  record Support(Level level, String reason) {}

  @Override
  public String name() {
    return "x86";
  }

  @Override
  public int priority() {
    return PRIORITY;
  }

  @Override
  public Optional<String> unavailable() {
    return Optional.ofNullable(support().reason());
  }

  @Override
  public Kernels open(Workers workers) {
    Support support = support();
    if (support.reason() != null) {
      throw new LlamaException("x86 kernels: " + support.reason());
    }
    return new X86Kernels(support.level(), workers, () -> openFallback(workers));
  }

  /** The best of the other kernels that can run. */
  private static Kernels openFallback(Workers workers) {
    return ServiceLoader.load(KernelProvider.class, KernelProvider.class.getClassLoader()).stream()
        .filter(provider -> provider.type() != X86KernelProvider.class)
        .map(ServiceLoader.Provider::get)
        .filter(provider -> !provider.isDevice() && provider.unavailable().isEmpty())
        .max(Comparator.comparingInt(KernelProvider::priority))
        .orElseThrow(() -> new LlamaException("no kernels besides x86 are installed"))
        .open(workers);
  }

  private static Support support() {
    String system = System.getProperty("os.name");
    String architecture = System.getProperty("os.arch");
    if (!system.equals("Linux") || !architecture.equals("amd64")) {
      return new Support(
          null, "made for Linux on x86-64, this is " + system + " on " + architecture);
    }
    try {
      return choose(
          Processor.features(), System.getProperty(LEVEL_PROPERTY), SystemCalls::permitTiles);
    } catch (LlamaException e) {
      return new Support(null, e.getMessage());
    } catch (IllegalCallerException | LinkageError e) {
      // Native access is denied: thrown where the handles are made, first as an initialiser's
      // error.
      return new Support(
          null,
          "native access is denied to this module; start java with --enable-native-access="
              + moduleName());
    }
  }

  /**
   * The best level, or the one that is wanted.
   *
   * @param features of the processor
   * @param wanted name of a level, or null
   * @param permitTiles asks the system for AMX; called only if that is to be used
   */
  static Support choose(Set<Feature> features, String wanted, BooleanSupplier permitTiles) {
    Optional<Level> best = Level.best(features);
    if (best.isEmpty()) {
      return new Support(null, "the processor has no AVX2 and FMA");
    }
    Optional<Level> forced = wanted == null ? Optional.empty() : Level.named(wanted);
    if (wanted != null && forced.isEmpty()) {
      return new Support(
          null,
          "%s: expected one of %s, found %s"
              .formatted(LEVEL_PROPERTY, Arrays.toString(Level.values()), wanted));
    }
    if (forced.isPresent() && !forced.get().runsOn(features)) {
      return new Support(
          null,
          "%s: %s is wanted, the processor has %s"
              .formatted(LEVEL_PROPERTY, forced.get().title(), best.get().title()));
    }
    Level level = forced.orElse(best.get());
    if (!level.has(Feature.AMX_BF16) || permitTiles.getAsBoolean()) {
      return new Support(level, null);
    }
    if (forced.isPresent()) {
      return new Support(
          null,
          "%s: %s is wanted, the system does not permit it (Linux before 5.16, or a policy)"
              .formatted(LEVEL_PROPERTY, level.title()));
    }
    Set<Feature> permitted = EnumSet.copyOf(features);
    permitted.remove(Feature.AMX_BF16);
    return choose(permitted, null, permitTiles);
  }

  private static String moduleName() {
    Module module = X86KernelProvider.class.getModule();
    return module.isNamed() ? module.getName() : "ALL-UNNAMED";
  }
}
