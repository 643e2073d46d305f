package org.llamaj.tokenizer.chat;

import java.util.Optional;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** Tells from a vocabulary and a template which format a model expects. */
final class ChatFormats {
  private ChatFormats() {}

  static ChatFormat detect(Tokenizer tokenizer, Optional<String> template) {
    String hints = template.orElse("");
    boolean noTemplate = template.isEmpty();
    if (has(tokenizer, "<|header_start|>") && (noTemplate || hints.contains("<|header_start|>"))) {
      return ChatFormat.llama4(tokenizer, ToolCallStyle.PYTHON_LIST);
    }
    if (has(tokenizer, "<|start_header_id|>")
        && (noTemplate || hints.contains("<|start_header_id|>"))) {
      return ChatFormat.llama3(tokenizer, ToolCallStyle.JSON);
    }
    if (has(tokenizer, "<s>") && (noTemplate || hints.contains("[INST]"))) {
      return ChatFormat.llama2(tokenizer);
    }
    throw new TokenizerException("The model has no chat format that is known");
  }

  private static boolean has(Tokenizer tokenizer, String special) {
    return tokenizer.special(special).isPresent();
  }
}
