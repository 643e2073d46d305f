package org.llamaj.kernel.cuda.driver;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * What CUDA's libraries are called on an operating system, newest first, and the folders where
 * toolkits, pip and conda put them.
 *
 * @param windows whether names are those of Windows
 * @param target what the toolkit calls the processor, {@code x86_64-linux} for example
 * @param driver names of the driver
 * @param nvrtc names of the compiler
 * @param nvrtcBuiltins pattern of what the compiler needs beside it
 * @param cublasLt names of the library of matrix products
 */
record LibraryNames(
    boolean windows,
    String target,
    List<String> driver,
    List<String> nvrtc,
    String nvrtcBuiltins,
    List<String> cublasLt) {

  /**
   * The names on a system.
   *
   * @param os as the system property {@code os.name} has it
   * @param arch as {@code os.arch} has it
   */
  static LibraryNames of(String os, String arch) {
    if (os.startsWith("Windows")) {
      return new LibraryNames(
          true,
          "x64",
          List.of("nvcuda.dll"),
          List.of("nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"),
          "nvrtc-builtins64_*.dll",
          List.of("cublasLt64_13.dll", "cublasLt64_12.dll", "cublasLt64_11.dll"));
    }
    return new LibraryNames(
        false,
        arch.equals("aarch64") ? "sbsa-linux" : "x86_64-linux",
        List.of("libcuda.so.1", "libcuda.so", "/usr/lib/wsl/lib/libcuda.so.1"),
        List.of("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"),
        "libnvrtc-builtins.so.*",
        List.of("libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"));
  }

  /**
   * Where toolkits are, in the order in which they count: those that variables name, then the usual
   * places, then Python's packages.
   *
   * @param environment the environment variables
   * @param home the user's folder
   */
  List<Path> folders(Map<String, String> environment, String home) {
    List<Path> folders = new ArrayList<>();
    for (Path root : named(environment, "CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX")) {
      addToolkit(root, folders);
    }
    if (windows) {
      for (Path root : named(environment, "ProgramFiles")) {
        newest(root.resolve("NVIDIA GPU Computing Toolkit").resolve("CUDA"), "v*")
            .forEach(toolkit -> addToolkit(toolkit, folders));
      }
    } else {
      addToolkit(Path.of("/usr/local/cuda"), folders);
      newest(Path.of("/usr/local"), "cuda-*").forEach(root -> addToolkit(root, folders));
      addToolkit(Path.of("/opt/cuda"), folders);
    }
    List<Path> pythons = named(environment, "VIRTUAL_ENV", "CONDA_PREFIX");
    if (!windows) {
      pythons.add(Path.of(home, ".local"));
      pythons.add(Path.of("/usr/local"));
      pythons.add(Path.of("/usr"));
    }
    pythons.forEach(root -> addPython(root, folders));
    return folders;
  }

  private static List<Path> named(Map<String, String> environment, String... variables) {
    List<Path> roots = new ArrayList<>();
    for (String variable : variables) {
      String root = environment.get(variable);
      if (root != null && !root.isEmpty()) {
        roots.add(Path.of(root));
      }
    }
    return roots;
  }

  private void addToolkit(Path root, List<Path> folders) {
    List<String> under =
        windows
            ? List.of("bin", "bin/x64", "Library/bin") // the last one is conda's
            : List.of("lib64", "lib", "targets/" + target + "/lib");
    under.forEach(folder -> folders.add(root.resolve(folder)));
  }

  /** The wheels of NVIDIA: {@code nvidia/cuda_nvrtc/lib}, since CUDA 13 {@code nvidia/cu13/lib}. */
  private void addPython(Path root, List<Path> folders) {
    if (windows) {
      addWheels(root.resolve("Lib").resolve("site-packages"), folders);
      return;
    }
    for (Path python : newest(root.resolve("lib"), "python3*")) {
      addWheels(python.resolve("site-packages"), folders);
      addWheels(python.resolve("dist-packages"), folders);
    }
  }

  private void addWheels(Path packages, List<Path> folders) {
    for (Path wheel : newest(packages.resolve("nvidia"), "cu*")) {
      if (windows) {
        folders.add(wheel.resolve("bin"));
        folders.add(wheel.resolve("bin").resolve("x86_64"));
      } else {
        folders.add(wheel.resolve("lib"));
      }
    }
  }

  private static List<Path> newest(Path folder, String glob) {
    List<Path> found = matches(folder, glob);
    found.sort(Collections.reverseOrder());
    return found;
  }

  /** The files of a folder whose names are of a pattern. */
  static List<Path> matches(Path folder, String glob) {
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
