package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.kernel.CacheType;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/** A directory as on Hugging Face and the GGUF file made of it are the same model. */
class HuggingFaceConversionTest {
  private static final String TEXT = "Who are you, 1234 times?\n  Ünïcode <|eot_id|>";

  @TempDir Path folder;

  @Test
  void logitsTokensAndTemplateAreTheSame() {
    Path directory =
        Path.of(System.getProperty("golden.dir", ""), "..", "demo-model", "hf").normalize();
    assumeTrue(Files.isDirectory(directory), "no reference data in " + directory);
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
    }
    try (LlamaModel original = load(directory);
        LlamaModel converted = load(file)) {
      Tokenizer tokenizer = original.tokenizer();
      Tokenizer other = converted.tokenizer();
      int[] ids = tokenizer.encodePrompt(TEXT, SpecialTokens.all());
      assertThat(other.encodePrompt(TEXT, SpecialTokens.all())).isEqualTo(ids);
      assertThat(other.bos()).isEqualTo(tokenizer.bos());
      for (int id = 0; id < tokenizer.vocabularySize(); id++) {
        assertThat(other.isSpecial(id)).as("special %d", id).isEqualTo(tokenizer.isSpecial(id));
        assertThat(other.isEndOfGeneration(id))
            .as("end %d", id)
            .isEqualTo(tokenizer.isEndOfGeneration(id));
      }
      assertThat(converted.checkpoint().metadata().string("tokenizer.chat_template"))
          .isEqualTo(original.checkpoint().metadata().string("tokenizer.chat_template"));
      float[] expected = logits(original, ids);
      float[] found = logits(converted, ids);
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i]).as("logit %d", i).isCloseTo(expected[i], within(1e-4f));
      }
    }
  }

  private static LlamaModel load(Path path) {
    return LlamaModel.builder(path).kernels("scalar").cacheType(CacheType.F32).load();
  }

  private static float[] logits(LlamaModel model, int[] ids) {
    try (Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      for (int id : ids) batch.add(sequence, id);
      batch.wantLogits();
      model.transformer().forward(batch);
      return batch.logits(0).clone();
    }
  }
}
