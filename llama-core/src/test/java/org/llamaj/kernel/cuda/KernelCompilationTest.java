package org.llamaj.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Nvrtc;

/** The kernels compile: with nvcc where there is one, with NVRTC where there is one. */
class KernelCompilationTest {

  static Stream<KernelUnit> units() {
    return KernelUnit.all();
  }

  /** Units that have passed are not compiled again until their source changes. */
  @ParameterizedTest
  @MethodSource("units")
  void compilesWithNvcc(KernelUnit unit) throws IOException {
    Optional<Path> nvcc = PtxFiles.tool("nvcc");
    assumeTrue(nvcc.isPresent(), "no nvcc here");
    for (String architecture : List.of("sm_80", "sm_90")) {
      String stamp = KernelImages.hash(unit.source() + architecture);
      Path folder = Files.createDirectories(Path.of("target", "cuda-nvcc").toAbsolutePath());
      Path cubin = folder.resolve(stamp + ".cubin");
      if (Files.exists(cubin)) {
        continue;
      }
      Path source = Files.writeString(folder.resolve(stamp + ".cu"), unit.source());
      String output =
          Emulator.run(
              folder,
              nvcc.get().toString(),
              "-cubin",
              "-std=c++17",
              "-arch=" + architecture,
              "-Xptxas=-v",
              "-o",
              cubin.toString(),
              source.toString());
      assertThat(output)
          .as("registers that do not suffice")
          .contains("0 bytes spill stores")
          .doesNotContainPattern("[1-9]\\d* bytes spill");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90"})
  void compilesWithNvrtc(String architecture) {
    Optional<Nvrtc> nvrtc = Nvrtc.open();
    assumeTrue(nvrtc.isPresent(), "no NVRTC here");
    units()
        .forEach(
            unit -> {
              byte[] image = nvrtc.get().compile(unit.name(), unit.source(), architecture);
              assertThat(image).startsWith(0x7F, 'E', 'L', 'F');
            });
  }

  @Test
  void errorsShowTheLogOfNvrtc() {
    Optional<Nvrtc> nvrtc = Nvrtc.open();
    assumeTrue(nvrtc.isPresent(), "no NVRTC here");
    assertThatThrownBy(() -> nvrtc.get().compile("wrong.cu", "int f() { return wrap; }", "sm_80"))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("compiling wrong.cu for sm_80: NVRTC_ERROR_COMPILATION")
        .hasMessageContaining("identifier \"wrap\" is undefined");
    assertThatThrownBy(() -> nvrtc.get().compile("kernel.cu", "", "sm_1"))
        .isInstanceOfSatisfying(
            CudaException.class, e -> assertThat(Nvrtc.isUnknownArchitecture(e)).isTrue());
  }

  /** If this fails: run PtxFiles on a machine with nvcc and commit what it has written. */
  @ParameterizedTest
  @MethodSource("units")
  void whatIsCompiledAheadIsOfTheSameSource(KernelUnit unit) {
    String ptx = PtxFiles.read(unit);
    assertThat(ptx).startsWith(PtxFiles.head(unit));
  }

  /** The text says an older version than the compiler wrote, for older drivers. */
  @Test
  void whatIsCompiledAheadCanBeTranslated() throws IOException {
    Optional<Path> ptxas = PtxFiles.tool("ptxas");
    assumeTrue(ptxas.isPresent(), "no ptxas here");
    Path folder = Files.createDirectories(Path.of("target", "cuda-nvcc").toAbsolutePath());
    for (KernelUnit unit :
        List.of(KernelUnit.ACTIVATIONS, KernelUnit.products(WeightFormat.Q4_K))) {
      Path text = Files.writeString(folder.resolve("translate.ptx"), PtxFiles.read(unit));
      String cubin = folder.resolve("translate.cubin").toString();
      Emulator.run(folder, ptxas.get().toString(), "-arch=sm_80", "-o", cubin, text.toString());
    }
  }
}
