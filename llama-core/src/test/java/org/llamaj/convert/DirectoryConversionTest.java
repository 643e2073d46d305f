package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.golden.MetaForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;

/**
 * A GGUF model, written as Meta or Hugging Face publish it, and converted back: vocabulary, tensors
 * and logits are those of the beginning.
 */
class DirectoryConversionTest {
  private static final int[] PROMPT = {1, 35, 72, 101, 7, 55, 300, 12};
  private static final String TEXT = "  The fox, 12 of them: Ünïcode\n</s> and more";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void metasDirectoriesComeBack(int files) throws Exception {
    Path directory = Files.createDirectory(folder.resolve("meta"));
    MetaForm.write(ConversionTest.model(), directory, files, true);
    assertComesBack(directory);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sentencePieceDirectoriesComeBack(boolean withJson) throws Exception {
    Path directory = Files.createDirectory(folder.resolve("hf"));
    HuggingFaceForm.write(ConversionTest.model(), directory, Map.of());
    try (Checkpoint model = Checkpoint.open(ConversionTest.model())) {
      Files.write(directory.resolve("tokenizer.model"), MetaForm.vocabulary(model.metadata()));
    }
    if (!withJson) Files.delete(directory.resolve("tokenizer.json"));
    assertComesBack(directory);
  }

  private void assertComesBack(Path directory) throws Exception {
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
    }
    try (Checkpoint found = Checkpoint.open(file);
        Checkpoint expected = Checkpoint.open(ConversionTest.model())) {
      assertThat(found.tensors()).hasSameSizeAs(expected.tensors());
      for (Tensor tensor : expected.tensors()) {
        assertThat(found.tensor(tensor.name()).data().mismatch(tensor.data()))
            .as(tensor.name())
            .isEqualTo(-1);
      }
      Metadata keys = found.metadata();
      Metadata wanted = expected.metadata();
      String vocabulary = "tokenizer.ggml.";
      assertThat(keys.string(vocabulary + "model")).contains("llama");
      assertThat(keys.strings(vocabulary + "tokens").orElseThrow().toArray())
          .isDeepEqualTo(wanted.strings(vocabulary + "tokens").orElseThrow().toArray());
      assertThat(keys.integers(vocabulary + "token_type").orElseThrow())
          .isEqualTo(wanted.integers(vocabulary + "token_type").orElseThrow());
      assertThat(keys.floats(vocabulary + "scores").orElseThrow())
          .isEqualTo(wanted.floats(vocabulary + "scores").orElseThrow());
      Tokenizer tokenizer = found.tokenizer();
      for (SpecialTokens special : List.of(SpecialTokens.none(), SpecialTokens.all())) {
        assertThat(tokenizer.encode(TEXT, special))
            .isEqualTo(expected.tokenizer().encode(TEXT, special));
      }
      assertThat(tokenizer.bos()).isEqualTo(expected.tokenizer().bos());
      assertThat(tokenizer.eos()).isEqualTo(expected.tokenizer().eos());
    }
    assertSameLogits(directory, ConversionTest.model(), file);
  }

  private static void assertSameLogits(Path... forms) {
    List<float[]> first = null;
    for (Path form : forms) {
      try (LlamaModel model =
          LlamaModel.builder(form).kernels("scalar").cacheType(CacheType.F32).load()) {
        List<float[]> logits = GoldenAssertions.logits(model, PROMPT, 512);
        if (first == null) first = logits;
        assertThat(GoldenAssertions.maxDifference(logits, first.toArray(float[][]::new)))
            .as(form.toString())
            .isLessThan(1e-4);
      }
    }
  }

  /** Rules stand for scores where there is no tokenizer.model: the earlier, the higher. */
  @Test
  void rulesBecomeScores() throws Exception {
    Path directory = Files.createDirectory(folder.resolve("hf"));
    HuggingFaceForm.write(ConversionTest.model(), directory, Map.of());
    int size;
    try (Checkpoint model = Checkpoint.open(ConversionTest.model())) {
      size = (int) model.tensor("token_embd.weight").rows();
    }
    StringBuilder vocabulary = new StringBuilder();
    List<String> pieces =
        new ArrayList<>(List.of("<unk>", "<s>", "</s>", "<0x41>", "a", "b", "\u2581", "ab"));
    pieces.addAll(List.of("\u2581ab", "aba"));
    for (int id = 0; id < pieces.size(); id++) {
      vocabulary.append(id == 0 ? "" : ",").append('"' + pieces.get(id) + "\":" + id);
    }
    Files.writeString(
        directory.resolve("tokenizer.json"),
        """
        {"added_tokens":[{"id":0,"content":"<unk>","special":true},
           {"id":1,"content":"<s>","special":true},{"id":2,"content":"</s>","special":true}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"\u2581"},
           {"type":"Replace","pattern":{"String":" "},"content":"\u2581"}]},
         "decoder":{"type":"Sequence","decoders":[
           {"type":"Replace","pattern":{"String":"\u2581"},"content":" "},
           {"type":"ByteFallback"},{"type":"Fuse"},
           {"type":"Strip","content":" ","start":1,"stop":0}]},
         "model":{"type":"BPE","byte_fallback":true,"unk_token":"<unk>","vocab":{VOCABULARY},
           "merges":["a b","\u2581 ab","ab a"]}}
        """
            .replace("VOCABULARY", vocabulary));
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
      try (Checkpoint converted = Checkpoint.open(file)) {
        Metadata keys = converted.metadata();
        float[] scores = keys.floats("tokenizer.ggml.scores").orElseThrow();
        int[] types = keys.integers("tokenizer.ggml.token_type").orElseThrow();
        assertThat(scores).hasSize(size);
        assertThat(new float[] {scores[7], scores[8], scores[9]}).containsExactly(0, -1, -2);
        assertThat(scores[4]).isLessThan(-2);
        assertThat(java.util.Arrays.copyOf(types, 11))
            .containsExactly(2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 5);
        assertThat(keys.bool("tokenizer.ggml.add_space_prefix")).contains(true);
        for (String text : List.of("ab aba", "A ab", "ba  ab", "x")) {
          assertThat(converted.tokenizer().encode(text))
              .as(text)
              .isEqualTo(model.tokenizer().encode(text));
        }
      }
    }
  }

  @Test
  void biasesOfQueriesAndKeysChangePlacesToo() throws Exception {
    Path biased = folder.resolve("biased.gguf");
    addBiases(ConversionTest.model(), biased);
    Path directory = Files.createDirectory(folder.resolve("hf"));
    HuggingFaceForm.write(biased, directory, Map.of());
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
    }
    try (Checkpoint found = Checkpoint.open(file);
        Checkpoint expected = Checkpoint.open(biased)) {
      assertThat(found.tensor("blk.1.attn_q.bias").toFloats())
          .isEqualTo(expected.tensor("blk.1.attn_q.bias").toFloats());
    }
    assertSameLogits(biased, directory, file);
  }

  private static void addBiases(Path from, Path to) {
    Random random = new Random(3);
    try (Checkpoint model = Checkpoint.open(from)) {
      List<TensorDescription> tensors = new ArrayList<>(model.descriptions());
      List<MemorySegment> data =
          new ArrayList<>(model.tensors().stream().map(Tensor::data).toList());
      for (TensorDescription weight : model.descriptions()) {
        if (!weight.name().matches("blk\\.\\d+\\.attn_(q|k|v|output)\\.weight")) continue;
        int rows = (int) weight.shape().rows();
        ByteBuffer values = ByteBuffer.allocate(4 * rows).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) values.putFloat((float) random.nextGaussian());
        String name = weight.name().replace(".weight", ".bias");
        tensors.add(new TensorDescription(name, ElementType.F32, Shape.of(rows)));
        data.add(MemorySegment.ofArray(values.array()));
      }
      try (GgufWriter writer = GgufWriter.create(to, model.metadata().values(), tensors)) {
        data.forEach(writer::write);
        writer.finish();
      }
    }
  }

  /** Llama 3 in Meta's form, whose file of tokens has neither rules nor special tokens. */
  @Test
  void tiktokensFileBecomesTheVocabularyOfTheReference() throws Exception {
    Path reference = Path.of(System.getProperty("golden.dir", ""), "tokenizer/llama3");
    assumeTrue(Files.exists(reference.resolve("tokenizer.model")), "no reference data");
    try (Checkpoint expected = Checkpoint.open(reference.resolve("vocab-bpe.gguf"))) {
      Tokenizer tokenizer = Tokenizer.load(reference.resolve("tokenizer.model"));
      Path directory = Files.createDirectory(folder.resolve("meta"));
      Files.copy(reference.resolve("tokenizer.model"), directory.resolve("tokenizer.model"));
      Metadata found =
          new Metadata("found", VocabularyKeys.read(directory, tokenizer, 128_256, "llama"));
      assertThat(found.integer("tokenizer.ggml.eot_token_id")).hasValue(128_009);
      byte[][] merges =
          expected.metadata().strings("tokenizer.ggml.merges").orElseThrow().toArray();
      assertThat(found.strings("tokenizer.ggml.merges").orElseThrow().toArray())
          .isDeepEqualTo(merges);
      byte[][] tokens =
          expected.metadata().strings("tokenizer.ggml.tokens").orElseThrow().toArray();
      byte[][] own = found.strings("tokenizer.ggml.tokens").orElseThrow().toArray();
      for (int id = 0; id < 128_000; id++) {
        assertThat(own[id]).as("token %d", id).isEqualTo(tokens[id]);
      }
      Tokenizer again = Tokenizer.of(found);
      for (String text : List.of(TEXT, "def f(x):\n\treturn x**2 # 12345", "你好 мир")) {
        assertThat(again.encode(text)).isEqualTo(tokenizer.encode(text));
      }
    }
  }
}
