package org.llamaj.kernel.cuda.driver;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds CUDA's libraries by name: where the system loader looks, and where toolkits, pip and conda
 * put them. The system properties {@value #DRIVER_PROPERTY} and {@value #NVRTC_PROPERTY} name a
 * file instead.
 */
@SuppressWarnings("restricted") // Who opens a Driver reports it if native access is denied.
final class Libraries {
  /** The file of the driver: {@code libcuda.so.1}. */
  static final String DRIVER_PROPERTY = "llamaj.cuda.driver";

  /** The file of the compiler: {@code libnvrtc.so.13}; {@code none} for no compiler. */
  static final String NVRTC_PROPERTY = "llamaj.cuda.nvrtc";

  private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

  private static final List<String> DRIVER =
      WINDOWS
          ? List.of("nvcuda.dll")
          : List.of("libcuda.so.1", "libcuda.so", "/usr/lib/wsl/lib/libcuda.so.1");

  private static final List<String> NVRTC =
      WINDOWS
          ? List.of("nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll")
          : List.of("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so");

  private Libraries() {}

  /** The driver, which comes with the kernel module of the device and not with a toolkit. */
  static Optional<SymbolLookup> driver() {
    String named = System.getProperty(DRIVER_PROPERTY);
    return first(named == null ? DRIVER : List.of(named));
  }

  /** The compiler, which not every machine with a driver has. */
  static Optional<SymbolLookup> nvrtc() {
    String named = System.getProperty(NVRTC_PROPERTY);
    if (named != null) {
      loadBuiltins(Path.of(named).getParent());
      return named.equals("none") ? Optional.empty() : first(List.of(named));
    }
    List<String> candidates = new ArrayList<>(NVRTC);
    for (Path folder : toolkitFolders()) {
      for (String name : NVRTC) {
        Path file = folder.resolve(name);
        if (Files.exists(file)) {
          loadBuiltins(folder);
          candidates.add(file.toString());
        }
      }
    }
    return first(candidates);
  }

  /** NVRTC looks for them by name, and finds them only where the loader does or if it has them. */
  private static void loadBuiltins(Path folder) {
    if (folder != null && !WINDOWS) {
      matches(folder, "libnvrtc-builtins.so.*").forEach(file -> first(List.of(file.toString())));
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

  private static List<Path> toolkitFolders() {
    List<Path> folders = new ArrayList<>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX")) {
      String root = System.getenv(variable);
      if (root != null && !root.isEmpty()) {
        addToolkit(Path.of(root), folders);
      }
    }
    if (!WINDOWS) {
      addToolkit(Path.of("/usr/local/cuda"), folders);
      matches(Path.of("/usr/local"), "cuda-*").forEach(root -> addToolkit(root, folders));
      addToolkit(Path.of("/opt/cuda"), folders);
    }
    pythonRoots().forEach(root -> addPython(root, folders));
    return folders;
  }

  private static void addToolkit(Path root, List<Path> folders) {
    for (String folder :
        List.of("lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib", "bin")) {
      folders.add(root.resolve(folder));
    }
  }

  private static List<Path> pythonRoots() {
    List<Path> roots = new ArrayList<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      String root = System.getenv(variable);
      if (root != null && !root.isEmpty()) {
        roots.add(Path.of(root));
      }
    }
    roots.add(Path.of(System.getProperty("user.home"), ".local"));
    roots.add(Path.of("/usr/local"));
    roots.add(Path.of("/usr"));
    return roots;
  }

  /** The wheels of NVIDIA: {@code nvidia/cuda_nvrtc/lib}, since CUDA 13 {@code nvidia/cu13/lib}. */
  private static void addPython(Path root, List<Path> folders) {
    for (Path python : matches(root.resolve("lib"), "python3*")) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        for (Path wheel : matches(python.resolve(packages).resolve("nvidia"), "cu*")) {
          folders.add(wheel.resolve("lib"));
        }
      }
    }
  }

  private static List<Path> matches(Path folder, String glob) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> paths = Files.newDirectoryStream(folder, glob)) {
        paths.forEach(found::add);
      } catch (IOException e) {
        // A folder that cannot be read holds nothing for us.
      }
    }
    return found;
  }
}
