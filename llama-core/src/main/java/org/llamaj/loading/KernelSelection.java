package org.llamaj.loading;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.llamaj.Backend;
import org.llamaj.LlamaException;
import org.llamaj.kernel.KernelProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which kernels a model runs on, and why not on others.
 *
 * @param provider the chosen one
 * @param passedOver one sentence for each better provider that cannot run here
 */
public record KernelSelection(KernelProvider provider, List<String> passedOver) {

  /** Names the provider to use, for all models of the JVM: {@code -Dllamaj.kernels=vector}. */
  public static final String PROPERTY = "llamaj.kernels";

  private static final String CUDA = "cuda";

  private static final Logger LOG = LoggerFactory.getLogger(KernelSelection.class);

  /**
   * Chooses the best usable provider, or the one that was asked for.
   *
   * @param requested a provider's name; without it the system property {@value #PROPERTY} counts
   * @param backend whether a device may be chosen, or must be
   * @return the choice
   * @throws LlamaException if the requested provider is unknown or cannot run
   */
  public static KernelSelection select(Optional<String> requested, Backend backend) {
    List<KernelProvider> providers = providers();
    Optional<String> name = requested.or(() -> Optional.ofNullable(System.getProperty(PROPERTY)));
    if (name.isPresent()) {
      return named(name.get(), providers);
    }
    return switch (backend) {
      case Backend.Auto _ -> best(providers);
      case Backend.Cpu _ -> best(ofProcessor(providers));
      case Backend.Cuda _ -> named(CUDA, providers);
    };
  }

  /**
   * The best provider that needs no device.
   *
   * @return usable in this JVM
   */
  public static KernelProvider ofProcessor() {
    return best(ofProcessor(providers())).provider();
  }

  private static List<KernelProvider> ofProcessor(List<KernelProvider> providers) {
    return providers.stream().filter(provider -> !provider.isDevice()).toList();
  }

  private static List<KernelProvider> providers() {
    List<KernelProvider> providers = new ArrayList<>();
    ServiceLoader.load(KernelProvider.class, KernelProvider.class.getClassLoader())
        .forEach(providers::add);
    providers.sort(Comparator.comparingInt(KernelProvider::priority).reversed());
    return providers;
  }

  private static KernelSelection named(String name, List<KernelProvider> providers) {
    KernelProvider provider =
        providers.stream()
            .filter(p -> p.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new LlamaException(
                        "expected kernels named one of %s, found %s"
                            .formatted(
                                providers.stream()
                                    .map(KernelProvider::name)
                                    .collect(Collectors.joining(", ")),
                                name)));
    provider
        .unavailable()
        .ifPresent(
            reason -> {
              throw new LlamaException(
                  "the kernels '%s' were asked for and cannot run here: %s"
                      .formatted(name, reason));
            });
    return new KernelSelection(provider, List.of());
  }

  private static KernelSelection best(List<KernelProvider> providers) {
    List<String> passedOver = new ArrayList<>();
    for (KernelProvider provider : providers) {
      Optional<String> reason = provider.unavailable();
      if (reason.isEmpty()) {
        KernelSelection selection = new KernelSelection(provider, List.copyOf(passedOver));
        OncePerJvm.warnIfSlow(selection);
        return selection;
      }
      passedOver.add(provider.name() + ": " + reason.get());
    }
    throw new LlamaException("no kernels found: is llama-core complete on the path?");
  }

  /** Says once, not for every model, that models run slower than they could. */
  private static final class OncePerJvm {
    private static final java.util.concurrent.atomic.AtomicBoolean WARNED =
        new java.util.concurrent.atomic.AtomicBoolean();

    static void warnIfSlow(KernelSelection selection) {
      if (selection.provider().priority() == 0
          && !selection.passedOver().isEmpty()
          && WARNED.compareAndSet(false, true)) {
        LOG.warn(
            "models run on the plain '{}' kernels, which are slow. {}",
            selection.provider().name(),
            String.join("; ", selection.passedOver()));
      }
    }
  }
}
