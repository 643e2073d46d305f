package org.llamaj.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.ModelBuilder;
import org.llamaj.ModelInput;
import org.llamaj.Picture;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.vision.golden.GoldenVision;
import org.llamaj.vision.golden.UsableKernels;
import tools.jackson.databind.JsonNode;

/** Whole models that see, from files of pictures to logits, against reference implementations. */
class GoldenMultimodalTest {
  private static final double TOLERANCE = 2e-4;

  /** A model in one form. */
  record Form(String folder, String weights, String mmproj) {
    ModelBuilder builder(String kernels) {
      Path root = GoldenVision.root().resolve(folder);
      ModelBuilder builder =
          LlamaModel.builder(root.resolve(weights)).kernels(kernels).cacheType(CacheType.F32);
      return mmproj == null ? builder : builder.mmproj(GoldenVision.root().resolve(mmproj));
    }

    boolean isThere() {
      return Files.exists(GoldenVision.root().resolve(folder).resolve(weights));
    }
  }

  private static final List<Form> FORMS =
      List.of(
          new Form(
              "llama4-multimodal-tiny/scout",
              "gguf/text-f32.gguf",
              "llama4-vision-tiny/gguf/mmproj-f32.gguf"),
          new Form("llama4-multimodal-tiny/scout", "hf", null),
          new Form("llama4-multimodal-tiny/maverick", "hf", null),
          new Form("mllama-tiny/a", "hf", null),
          new Form(
              "llama4-multimodal-tiny/maverick",
              "gguf/text-bf16.gguf",
              "llama4-multimodal-tiny/maverick/gguf/mmproj-f16.gguf"));

  /** The models that are there: all with the whole reference data. */
  static Stream<Form> forms() {
    return FORMS.stream().filter(Form::isThere);
  }

  static Stream<Arguments> cases() {
    return forms()
        .flatMap(
            form ->
                GoldenVision.all(form.folder() + "/expected").stream()
                    .flatMap(
                        golden ->
                            UsableKernels.all().stream()
                                .map(kernels -> Arguments.of(form, golden, kernels.name()))));
  }

  @ParameterizedTest(name = "{0} {1} on {2}", allowZeroInvocations = true)
  @MethodSource("cases")
  void logits(Form form, GoldenVision golden, String kernels) {
    boolean gguf = form.weights().endsWith(".gguf");
    float[] expected = golden.floats(gguf && golden.has("logits_gguf") ? "logits_gguf" : "logits");
    int[] ids = golden.ints("input_ids");
    try (LlamaModel model = form.builder(kernels).load()) {
      List<Picture> pictures = golden.images().stream().map(Picture::of).toList();
      float[] found = logits(model, model.input(ids, pictures));
      GoldenVision.assertClose(found, expected, TOLERANCE, "logits");
      greedy(model, model.input(ids, pictures), golden);
    }
  }

  static Stream<Arguments> directories() {
    return FORMS.stream()
        .filter(form -> form.weights().equals("hf") && form.isThere())
        .flatMap(
            form ->
                GoldenVision.all(form.folder() + "/expected").stream()
                    .map(golden -> Arguments.of(form, golden)));
  }

  /** Llama 4 becomes two files, Llama 3.2 Vision one. */
  @ParameterizedTest(name = "{0} {1}", allowZeroInvocations = true)
  @MethodSource("directories")
  void convertedToGguf(Form form, GoldenVision golden, @TempDir Path folder) {
    Path text = folder.resolve("text.gguf");
    Path mmproj = folder.resolve("mmproj.gguf");
    boolean apart = form.folder().startsWith("llama4");
    try (Checkpoint model =
        Checkpoint.open(GoldenVision.root().resolve(form.folder()).resolve("hf"))) {
      Conversion.of(model).to(FileType.F32).write(text);
      if (apart) {
        Conversion.ofEncoder(model).to(FileType.F32).write(mmproj);
      } else {
        assertThatThrownBy(() -> Conversion.ofEncoder(model))
            .hasMessageContaining("expected a directory as on Hugging Face with an image encoder");
      }
    }
    ModelBuilder builder =
        LlamaModel.builder(text).kernels("scalar").cacheType(CacheType.F32).threads(2);
    List<Picture> pictures = golden.images().stream().map(Picture::of).toList();
    float[] ofDirectory;
    try (LlamaModel model = new Form(form.folder(), "hf", null).builder("scalar").load()) {
      ofDirectory = logits(model, model.input(golden.ints("input_ids"), pictures));
    }
    try (LlamaModel model = (apart ? builder.mmproj(mmproj) : builder).load()) {
      float[] found = logits(model, model.input(golden.ints("input_ids"), pictures));
      GoldenVision.assertClose(found, ofDirectory, 1e-4, "logits of the directory");
      GoldenVision.assertClose(found, golden.floats("logits"), TOLERANCE, "logits");
    }
  }

  private static float[] logits(LlamaModel model, ModelInput input) {
    int vocabulary = model.transformer().configuration().vocabularySize();
    float[] all = new float[input.length() * vocabulary];
    input.encode(() -> false);
    Batch batch = model.transformer().newBatch();
    try (Sequence sequence = model.transformer().newSequence()) {
      for (int from = 0; from < input.length(); ) {
        // An odd number: chunks end within pictures.
        int to = Math.min(input.length(), from + 37);
        batch.clear();
        for (int i = from; i < to; i++) {
          input.add(batch, sequence, i);
          batch.wantLogits();
        }
        model.transformer().forward(batch);
        for (int i = from; i < to; i++) {
          System.arraycopy(batch.logits(i - from), 0, all, i * vocabulary, vocabulary);
        }
        from = to;
      }
    }
    return all;
  }

  /** Token by token, as a conversation goes on. */
  private static void greedy(LlamaModel model, ModelInput input, GoldenVision golden) {
    JsonNode greedy = golden.json().path("greedy").path("ids");
    boolean otherInGguf = golden.has("logits_gguf");
    if (greedy.isMissingNode() || otherInGguf) {
      return;
    }
    int[] expected =
        StreamSupport.stream(greedy.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    int[] found = new int[expected.length];
    input.encode(() -> false);
    Batch batch = model.transformer().newBatch();
    try (Sequence sequence = model.transformer().newSequence()) {
      for (int i = 0; i < input.length(); i++) {
        input.add(batch, sequence, i);
      }
      for (int step = 0; step < found.length; step++) {
        batch.wantLogits();
        model.transformer().forward(batch);
        found[step] = largest(batch.logits(0));
        batch.clear();
        batch.add(sequence, found[step]);
      }
    }
    assertThat(found).as("greedy").isEqualTo(expected);
  }

  private static int largest(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
