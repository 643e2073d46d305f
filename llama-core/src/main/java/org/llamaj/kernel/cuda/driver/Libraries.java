package org.llamaj.kernel.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Loads CUDA's libraries: from where the system loader looks, or from where toolkits, pip and conda
 * put them. The system properties {@value #DRIVER_PROPERTY}, {@value #NVRTC_PROPERTY} and {@value
 * #CUBLAS_PROPERTY} name a file instead.
 */
@SuppressWarnings("restricted") // Who opens a Driver reports it if native access is denied.
final class Libraries {
  /** The file of the driver: {@code libcuda.so.1}. */
  static final String DRIVER_PROPERTY = "llamaj.cuda.driver";

  /** The file of the compiler: {@code libnvrtc.so.13}; {@code none} for no compiler. */
  static final String NVRTC_PROPERTY = "llamaj.cuda.nvrtc";

  /** The file of the matrix products: {@code libcublasLt.so.13}; {@code none} for our own. */
  static final String CUBLAS_PROPERTY = "llamaj.cuda.cublaslt";

  private static final LibraryNames NAMES =
      LibraryNames.of(System.getProperty("os.name"), System.getProperty("os.arch"));

  private Libraries() {}

  /** The driver, which comes with the kernel module of the device and not with a toolkit. */
  static Optional<SymbolLookup> driver() {
    String named = System.getProperty(DRIVER_PROPERTY);
    return first(named == null ? NAMES.driver() : List.of(named));
  }

  /** The compiler, which not every machine with a driver has. */
  static Optional<SymbolLookup> nvrtc() {
    return ofToolkit(NVRTC_PROPERTY, NAMES.nvrtc(), true);
  }

  /** The library of matrix products, likewise. */
  static Optional<SymbolLookup> cublasLt() {
    return ofToolkit(CUBLAS_PROPERTY, NAMES.cublasLt(), false);
  }

  private static Optional<SymbolLookup> ofToolkit(
      String property, List<String> names, boolean builtins) {
    String named = System.getProperty(property);
    if (named != null) {
      if (builtins) {
        loadBuiltins(Path.of(named).getParent());
      }
      return named.equals("none") ? Optional.empty() : first(List.of(named));
    }
    List<String> candidates = new ArrayList<>(names);
    for (Path folder : NAMES.folders(System.getenv(), System.getProperty("user.home"))) {
      for (String name : names) {
        Path file = folder.resolve(name);
        if (Files.exists(file)) {
          if (builtins) {
            loadBuiltins(folder);
          }
          candidates.add(file.toString());
        }
      }
    }
    return first(candidates);
  }

  /** NVRTC looks for them by name, and finds them only where the loader does or if it has them. */
  private static void loadBuiltins(Path folder) {
    if (folder != null) {
      LibraryNames.matches(folder, NAMES.nvrtcBuiltins())
          .forEach(file -> first(List.of(file.toString())));
    }
  }

  private static Optional<SymbolLookup> first(List<String> names) {
    for (String name : names) {
      try {
        return Optional.of(
            name.indexOf('/') >= 0 || name.indexOf('\\') >= 0
                ? SymbolLookup.libraryLookup(Path.of(name), Arena.global())
                : SymbolLookup.libraryLookup(name, Arena.global()));
      } catch (IllegalArgumentException e) {
        // Not there, or not for this processor: the next one.
      }
    }
    return Optional.empty();
  }
}
