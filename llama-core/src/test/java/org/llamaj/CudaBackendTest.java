package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.kernel.cuda.Emulator;

/** Models on devices, and what goes wrong with these; the device is an emulated one. */
class CudaBackendTest {
  private static final String CACHE = "llamaj.cuda.cache";
  private static final int OUT_OF_MEMORY = 2;
  private static final int LAUNCH_FAILED = 719;

  private Emulator emulator;

  @BeforeEach
  void open() {
    emulator = Emulator.open();
  }

  @AfterEach
  void close() {
    if (emulator != null) {
      emulator.close();
      emulator.assertClean();
    }
  }

  private static LlamaModel load(Backend backend) {
    return LlamaModel.builder(TestModels.small()).backend(backend).contextLength(256).load();
  }

  private static String text(LlamaModel model) {
    return model.prompt("Once upon a time").maxTokens(4).temperature(0).generate().text();
  }

  private static String textOfProcessor() {
    try (LlamaModel model = load(Backend.cpu())) {
      return text(model);
    }
  }

  @Test
  void automaticallyTheDeviceIsTakenAndStepsAreGraphs() {
    try (LlamaModel model = load(Backend.auto())) {
      assertThat(model.kernels()).isEqualTo("cuda");
      assertThat(model.describe())
          .contains("cuda: Emulated GPU (compute capability 8.0, 1024 MiB)")
          .contains("compiled by NVRTC 13.0");
      assertThat(text(model)).isEqualTo(textOfProcessor());
      assertThat(emulator.graphLaunches()).isPositive();
      assertThat(emulator.violation()).isEmpty();
    }
  }

  /** A draw among the most probable tokens needs no other logits; a grammar needs all. */
  @Test
  void onlyTheBestLogitsLeaveTheDevice() {
    String prompt = "Once upon a time";
    SamplingOptions sampling = SamplingOptions.defaults().withSeed(7);
    String expected;
    try (LlamaModel model = load(Backend.cpu())) {
      expected = model.prompt(prompt).maxTokens(4).sampling(_ -> sampling).generate().text();
    }
    try (LlamaModel model = load(Backend.cuda())) {
      long before = emulator.downloadedBytes();
      String found = model.prompt(prompt).maxTokens(4).sampling(_ -> sampling).generate().text();
      assertThat(found).isEqualTo(expected);
      assertThat(emulator.downloadedBytes() - before).isEqualTo(4 * 40 * Long.BYTES);
      before = emulator.downloadedBytes();
      model.prompt(prompt).maxTokens(4).temperature(0).logProbabilities(0).generate();
      int logits = model.transformer().configuration().vocabularySize() * Float.BYTES;
      assertThat(emulator.downloadedBytes() - before).isEqualTo(4L * logits);
    }
  }

  @Test
  void withoutADeviceTheProcessorIsTaken() {
    emulator.reset(0, Emulator.MEMORY);
    try (LlamaModel model = load(Backend.auto())) {
      assertThat(model.kernels()).isNotEqualTo("cuda");
      assertThat(model.describe())
          .contains("cuda: cuInit: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)");
    }
    assertThatThrownBy(() -> load(Backend.cuda()))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("'cuda' were asked for and cannot run here: cuInit");
  }

  @Test
  void withoutADriverTheProcessorIsTaken() {
    System.setProperty("llamaj.cuda.driver", "/nowhere/libcuda.so");
    try (LlamaModel model = load(Backend.auto())) {
      assertThat(model.kernels()).isNotEqualTo("cuda");
      assertThat(model.describe()).contains("cuda: no NVIDIA driver found");
    }
  }

  @Test
  void aDeviceThatIsNotThereIsRefused() {
    assertThatThrownBy(() -> load(Backend.cuda().onDevice(3)))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("expected one of 1 CUDA devices, found number 3");
  }

  @Test
  void layersCanBeShared() {
    String expected = textOfProcessor();
    for (int layers : new int[] {0, 1, 1000}) {
      try (LlamaModel model = load(Backend.cuda().gpuLayers(layers))) {
        assertThat(text(model)).isEqualTo(expected);
        if (layers < 1000) {
          assertThat(model.describe()).contains("the others on ");
        } else {
          assertThat(model.describe()).doesNotContain("the others on ");
        }
      }
    }
  }

  @Test
  void weightsWithoutRoomStayWithTheProcessor() {
    String expected = textOfProcessor();
    for (int after : new int[] {12, 15, 17}) {
      emulator.reset(1, Emulator.MEMORY);
      // The first allocations are activations; these must be there.
      emulator.fail("cuMemAlloc_v2", after, OUT_OF_MEMORY);
      try (LlamaModel model = load(Backend.cuda())) {
        assertThat(text(model)).isEqualTo(expected);
        assertThat(model.describe()).contains("the others on ");
      }
    }
  }

  @Test
  void aDeviceTooSmallForActivationsIsAnErrorThatSaysSo() {
    emulator.reset(1, 64 << 10);
    assertThatThrownBy(() -> load(Backend.cuda()))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  }

  /** Whichever call of loading fails, nothing is left open. */
  @Test
  void aFailureWhileLoadingLeavesNothingOpen() {
    List<String> functions =
        List.of(
            "cuDevicePrimaryCtxRetain",
            "cuStreamCreate",
            "cuModuleLoadDataEx",
            "cuModuleGetFunction",
            "cuMemAlloc_v2",
            "cuMemcpyHtoDAsync_v2");
    for (String function : functions) {
      emulator.reset(1, Emulator.MEMORY);
      emulator.fail(function, 0, 1);
      assertThatThrownBy(() -> load(Backend.cuda()).close())
          .as(function)
          .isInstanceOf(LlamaException.class);
      emulator.assertClean();
    }
  }

  @Test
  void errorsInKernelSourceShowTheCompilersLog() {
    emulator.fail("nvrtcCompileProgram", 0, 6);
    assertThatThrownBy(() -> load(Backend.cuda()))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("compiling activations.cu for sm_80: NVRTC_ERROR_COMPILATION")
        .hasMessageContaining("identifier \"wrap\" is undefined");
  }

  @Test
  void aLostDeviceIsAnErrorAndNothingHangs() {
    LlamaModel model = load(Backend.cuda());
    assertThat(text(model)).isNotEmpty();
    emulator.fail("cuStreamSynchronize", 2, LAUNCH_FAILED);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> text(model))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure)");
    }
    model.close();
    try (LlamaModel again = load(Backend.cuda())) {
      assertThat(text(again)).isNotEmpty();
    }
  }

  /** A conversation in the middle of its answer, others beside it, and the model itself. */
  @Test
  void sessionsOnALostDeviceEndWithAnError() {
    LlamaModel model = load(Backend.cuda());
    ChatSession chat = model.chat().open();
    ChatSession other = model.chat().open();
    emulator.fail("cuStreamSynchronize", 3, 700);
    for (ChatSession one : List.of(chat, other, chat)) {
      assertThatThrownBy(() -> one.send("Who are you?", _ -> {}))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS");
    }
    chat.close();
    other.close();
    model.close();
  }

  /** What others hold is not lost, and there is room again when they are closed. */
  @Test
  void withoutMemoryForThePagesOfAConversationOnlyItFails() {
    try (LlamaModel model = load(Backend.cuda())) {
      emulator.limitMemory(emulator.memoryUsed());
      assertThatThrownBy(() -> text(model))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("no memory for one more page of the key-value cache");
      emulator.limitMemory(Emulator.MEMORY);
      assertThat(text(model)).isEqualTo(textOfProcessor());
    }
  }

  @Test
  void withoutACompilerTheDriverTranslates() {
    System.setProperty("llamaj.cuda.nvrtc", "none");
    try (LlamaModel model = load(Backend.cuda())) {
      assertThat(model.describe()).contains("PTX translated by the driver");
      assertThat(text(model)).isEqualTo(textOfProcessor());
    }
  }

  /** Of a device that is newer than the compiler. */
  @Test
  void whatTheCompilerDoesNotKnowTheDriverTranslates() {
    emulator.fail("nvrtcCompileProgram", 0, 5);
    try (LlamaModel model = load(Backend.cuda())) {
      assertThat(text(model)).isEqualTo(textOfProcessor());
    }
  }

  @Test
  void cublasMultipliesPrompts() {
    emulator.installCublas();
    try (LlamaModel model = load(Backend.cuda())) {
      assertThat(model.describe()).contains("prompts multiplied by cuBLASLt 13.1");
      assertThat(text(model)).isNotEmpty();
    }
  }

  @Test
  void withoutGraphsKernelsAreLaunchedOneByOne() {
    String expected = textOfProcessor();
    emulator.fail("cuStreamBeginCapture_v2", 0, 801);
    try (LlamaModel model = load(Backend.cuda())) {
      assertThat(text(model)).isEqualTo(expected);
      assertThat(emulator.graphLaunches()).isZero();
    }
  }

  @Test
  void compiledKernelsAreKeptOnDisk(@TempDir Path folder) throws Exception {
    System.setProperty(CACHE, folder.resolve("cuda").toString());
    String expected;
    try (LlamaModel model = load(Backend.cuda())) {
      expected = text(model);
    }
    try (Stream<Path> files = Files.list(folder.resolve("cuda"))) {
      assertThat(files).isNotEmpty().allMatch(file -> file.toString().endsWith(".cubin"));
    }
    emulator.fail("nvrtcCompileProgram", 0, 6); // is not called
    try (LlamaModel model = load(Backend.cuda())) {
      assertThat(text(model)).isEqualTo(expected);
    }
  }

  @Test
  void damagedKernelsOnDiskAreCompiledAgain(@TempDir Path folder) throws Exception {
    System.setProperty(CACHE, folder.toString());
    load(Backend.cuda()).close();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) Files.writeString(file, "damaged");
    }
    try (LlamaModel model = load(Backend.cuda())) {
      assertThat(text(model)).isNotEmpty();
    }
  }
}
