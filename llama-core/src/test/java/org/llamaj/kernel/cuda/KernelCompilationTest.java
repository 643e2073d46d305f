package org.llamaj.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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

  /**
   * The text that is compiled ahead, of this very source as another test finds, becomes machine
   * code: so nvcc has to be run only where the source has changed. Units that have passed are not
   * translated again.
   */
  @ParameterizedTest
  @MethodSource("units")
  void becomesMachineCode(KernelUnit unit) throws IOException {
    Optional<Path> ptxas = PtxFiles.tool("ptxas");
    assumeTrue(ptxas.isPresent(), "no ptxas here");
    String ptx = PtxFiles.read(unit);
    for (String architecture : List.of("sm_80", "sm_90")) {
      String stamp = KernelImages.hash(ptx + architecture);
      Path folder = Files.createDirectories(Path.of("target", "cuda-nvcc").toAbsolutePath());
      Path cubin = folder.resolve(stamp + ".cubin");
      if (Files.exists(cubin)) {
        continue;
      }
      Path text = Files.writeString(folder.resolve(stamp + ".ptx"), ptx);
      Path part = folder.resolve(stamp + ".part");
      String output =
          Emulator.run(
              folder,
              ptxas.get().toString(),
              "-v",
              "-arch=" + architecture,
              "-o",
              part.toString(),
              text.toString());
      assertThat(output)
          .as("registers that do not suffice")
          .contains("0 bytes spill stores")
          .doesNotContainPattern("[1-9]\\d* bytes spill");
      Files.move(part, cubin, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** The compiler itself: the kernels on activations, and those of the format most in use. */
  @Test
  void compilesWithNvcc() throws IOException {
    Optional<Path> nvcc = PtxFiles.tool("nvcc");
    assumeTrue(nvcc.isPresent(), "no nvcc here");
    for (KernelUnit unit :
        List.of(
            KernelUnit.ACTIVATIONS, KernelUnit.MIXTURE, KernelUnit.products(WeightFormat.Q4_K))) {
      String stamp = KernelImages.hash(unit.source());
      Path folder = Files.createDirectories(Path.of("target", "cuda-nvcc").toAbsolutePath());
      Path source = Files.writeString(folder.resolve(stamp + ".cu"), unit.source());
      String text = folder.resolve(stamp + ".nvcc").toString();
      Emulator.run(
          folder, nvcc.get().toString(), "-ptx", "-std=c++17", "-o", text, source.toString());
      assertThat(Files.readString(Path.of(text))).contains(".entry ");
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
}
