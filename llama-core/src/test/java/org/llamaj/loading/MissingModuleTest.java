package org.llamaj.loading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.Picture;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.synth.ModelPreset;
import org.llamaj.checkpoint.synth.ModelSynthesizer;

class MissingModuleTest {
  @TempDir private Path folder;

  @Test
  void aModelWithExpertsNamesTheModuleThatRunsIt() {
    Path file = folder.resolve("moe.gguf");
    new ModelSynthesizer(ModelPreset.TINY_MOE.shape(), FileType.Q4_0, 1).write(file, (_, _) -> {});
    assertThatThrownBy(() -> LlamaModel.load(file).close())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("8 experts")
        .hasMessageContaining("org.llamaj:llama-moe");
  }

  @Test
  void anImageEncoderNamesTheModuleThatRunsIt() {
    Path file = folder.resolve("text.gguf");
    new ModelSynthesizer(ModelPreset.TINY_DENSE.shape(), FileType.Q4_0, 1)
        .write(file, (_, _) -> {});
    assertThatThrownBy(() -> LlamaModel.builder(file).mmproj(file).load().close())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("org.llamaj:llama-vision");
  }

  @Test
  void aModelOfTextTakesNoPicture() {
    Path file = folder.resolve("text.gguf");
    new ModelSynthesizer(ModelPreset.TINY_DENSE.shape(), FileType.Q4_0, 1)
        .write(file, (_, _) -> {});
    Picture picture = Picture.of(new byte[] {1, 2, 3});
    try (LlamaModel model = LlamaModel.load(file)) {
      assertThat(model.seesPictures()).isFalse();
      assertThatThrownBy(() -> model.prompt(1, 2).image(picture).generate())
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("text.gguf")
          .hasMessageContaining("mmproj")
          .hasMessageContaining("org.llamaj:llama-vision");
    }
  }
}
