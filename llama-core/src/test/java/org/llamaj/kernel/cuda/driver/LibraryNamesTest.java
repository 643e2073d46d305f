package org.llamaj.kernel.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where CUDA's libraries are looked for, on systems this test does not run on, too. */
class LibraryNamesTest {
  @TempDir Path root;

  @Test
  void windowsHasNamesOfItsOwn() {
    LibraryNames names = LibraryNames.of("Windows 11", "amd64");
    assertThat(names.driver()).containsExactly("nvcuda.dll");
    assertThat(names.nvrtc()).startsWith("nvrtc64_130_0.dll", "nvrtc64_120_0.dll");
    assertThat(names.cublasLt()).startsWith("cublasLt64_13.dll", "cublasLt64_12.dll");
  }

  @Test
  void windowsHasToolkitsCondaAndWheels() throws Exception {
    Path toolkits = root.resolve("NVIDIA GPU Computing Toolkit").resolve("CUDA");
    Files.createDirectories(toolkits.resolve("v12.8"));
    Files.createDirectories(toolkits.resolve("v13.0"));
    Path wheel = root.resolve("venv/Lib/site-packages/nvidia/cuda_nvrtc");
    Files.createDirectories(wheel);
    List<Path> folders =
        LibraryNames.of("Windows 10", "amd64")
            .folders(
                Map.of(
                    "CUDA_PATH", root.resolve("chosen").toString(),
                    "CONDA_PREFIX", root.resolve("conda").toString(),
                    "ProgramFiles", root.toString(),
                    "VIRTUAL_ENV", root.resolve("venv").toString()),
                "unused");
    assertThat(folders)
        .containsSubsequence(
            root.resolve("chosen").resolve("bin"),
            root.resolve("conda").resolve("Library/bin"),
            toolkits.resolve("v13.0").resolve("bin/x64"),
            toolkits.resolve("v12.8").resolve("bin"),
            wheel.resolve("bin"));
  }

  @Test
  void linuxHasToolkitsCondaAndWheels() throws Exception {
    Path old = root.resolve("venv/lib/python3.11/site-packages/nvidia/cublas");
    Path recent = root.resolve("home/.local/lib/python3.12/site-packages/nvidia/cu13");
    Files.createDirectories(old);
    Files.createDirectories(recent);
    LibraryNames names = LibraryNames.of("Linux", "amd64");
    assertThat(names.driver()).startsWith("libcuda.so.1");
    assertThat(names.cublasLt())
        .containsExactly(
            "libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so");
    List<Path> folders =
        names.folders(
            Map.of(
                "CUDA_HOME", root.resolve("cuda").toString(),
                "CONDA_PREFIX", "",
                "VIRTUAL_ENV", root.resolve("venv").toString()),
            root.resolve("home").toString());
    assertThat(folders)
        .startsWith(root.resolve("cuda/lib64"))
        .containsSubsequence(
            root.resolve("cuda/targets/x86_64-linux/lib"),
            Path.of("/usr/local/cuda/lib64"),
            old.resolve("lib"),
            recent.resolve("lib"));
  }

  @Test
  void armServersHaveFoldersOfTheirOwn() {
    assertThat(LibraryNames.of("Linux", "aarch64").folders(Map.of("CUDA_HOME", "/cuda"), "/home/a"))
        .contains(Path.of("/cuda/targets/sbsa-linux/lib"));
  }

  @Test
  void whatIsNotThereIsNoError() {
    assertThat(LibraryNames.matches(root.resolve("nowhere"), "*")).isEmpty();
  }
}
