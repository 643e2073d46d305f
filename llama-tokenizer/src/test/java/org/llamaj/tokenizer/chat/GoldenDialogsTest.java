package org.llamaj.tokenizer.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.tokenizer.Golden;
import org.llamaj.tokenizer.GoldenTokenizers;
import org.llamaj.tokenizer.Tokenizer;

/** Every dialog of the reference data, exact in text and ids. */
class GoldenDialogsTest {
  @ParameterizedTest
  @CsvSource({
    "llama2, llama2/vocab-spm.gguf",
    "llama3, llama3/vocab-bpe.gguf",
    "llama3.2-vision, llama3/vocab-bpe.gguf",
    "llama4, llama4/tokenizer.model",
  })
  void dialogsAreExact(String family, String vocabulary) {
    Tokenizer tokenizer = GoldenTokenizers.get(vocabulary);
    List<Golden.Record> dialogs = Golden.lines(Golden.file("chat/" + family + "/dialogs.jsonl"));
    assertThat(dialogs).isNotEmpty();
    for (Golden.Record dialog : dialogs) {
      Prompt prompt = format(family, tokenizer, dialog).prompt(Dialogs.conversation(dialog));
      if (dialog.has("prompt_ids")) {
        assertThat(prompt.ids()).as("%s", dialog).isEqualTo(dialog.ids("prompt_ids"));
        assertThat(prompt.text()).as("%s", dialog).isEqualTo(dialog.string("prompt_text"));
        if (dialog.has("vision_mask")) {
          assertThat(
                  prompt.crossAttention().stream()
                      .map(range -> List.of((long) range.start(), (long) range.end())))
              .as("%s", dialog)
              .isEqualTo(dialog.list("vision_mask"));
        }
      } else {
        assertThat(runs(prompt.ids())).as("%s", dialog).isEqualTo(runs(dialog));
      }
    }
  }

  private static ChatFormat format(String family, Tokenizer tokenizer, Golden.Record dialog) {
    if (family.equals("llama2")) {
      return ChatFormat.llama2(tokenizer);
    }
    ToolCallStyle style =
        dialog.has("tool_prompt_format")
            ? ToolCallStyle.valueOf(dialog.string("tool_prompt_format").toUpperCase(Locale.ROOT))
            : ToolCallStyle.JSON;
    return family.equals("llama4")
        ? ChatFormat.llama4(tokenizer, style)
        : ChatFormat.llama3(tokenizer, style);
  }

  private static List<List<Integer>> runs(int[] ids) {
    List<List<Integer>> runs = new ArrayList<>();
    for (int id : ids) {
      if (!runs.isEmpty() && runs.getLast().getFirst() == id) {
        runs.set(runs.size() - 1, List.of(id, runs.getLast().get(1) + 1));
      } else {
        runs.add(List.of(id, 1));
      }
    }
    return runs;
  }

  private static List<List<Integer>> runs(Golden.Record dialog) {
    return dialog.list("prompt_ids_rle").stream()
        .map(run -> ((List<?>) run).stream().map(n -> ((Number) n).intValue()).toList())
        .toList();
  }
}
