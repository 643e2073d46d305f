package org.llamaj.loading;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
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
}
