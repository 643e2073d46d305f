package org.llamaj.tokenizer.file;

import java.util.ArrayList;
import java.util.List;

/**
 * The special tokens that Meta's releases of Llama 3 and Llama 4 put after the tokens of the {@code
 * tokenizer.model} file, which does not name them. Other distributions give some reserved ids other
 * names; a table read from a file always wins over these.
 */
enum MetaSpecialTokens {
  /** Llama 3.1 and later. */
  LLAMA_3 {
    @Override
    List<String> names() {
      List<String> names = new ArrayList<>();
      names.add("<|begin_of_text|>");
      names.add("<|end_of_text|>");
      reserve(names, "", 0, 2);
      names.add("<|finetune_right_pad_id|>");
      names.add("<|step_id|>");
      names.add("<|start_header_id|>");
      names.add("<|end_header_id|>");
      names.add("<|eom_id|>");
      names.add("<|eot_id|>");
      names.add("<|python_tag|>");
      names.add("<|image|>");
      reserve(names, "", 2, 246);
      return names;
    }
  },
  /** Llama 4. */
  LLAMA_4 {
    @Override
    List<String> names() {
      List<String> names = new ArrayList<>();
      names.add("<|begin_of_text|>");
      names.add("<|end_of_text|>");
      names.add("<|fim_prefix|>");
      names.add("<|fim_middle|>");
      names.add("<|fim_suffix|>");
      names.add("<|header_start|>");
      names.add("<|header_end|>");
      names.add("<|eom|>");
      names.add("<|eot|>");
      names.add("<|step|>");
      reserve(names, "text_post_train_", 0, 6);
      names.add("<|python_start|>");
      names.add("<|python_end|>");
      names.add("<|finetune_right_pad|>");
      // The numbers 6 and 7 do not occur.
      reserve(names, "text_post_train_", 8, 69);
      names.add("<|image_start|>");
      names.add("<|image_end|>");
      reserve(names, "vision_", 0, 2);
      names.add("<|tile_x_separator|>");
      names.add("<|tile_y_separator|>");
      reserve(names, "vision_", 2, 6);
      names.add("<|image|>");
      reserve(names, "vision_", 6, 7);
      names.add("<|patch|>");
      reserve(names, "vision_", 7, 1048);
      reserve(names, "reasoning_", 0, 8);
      names.add("<|reasoning_thinking_start|>");
      names.add("<|reasoning_thinking_end|>");
      reserve(names, "", 0, 904);
      return names;
    }
  };

  /** The names in the order of their ids. */
  abstract List<String> names();

  private static void reserve(List<String> names, String kind, int from, int to) {
    for (int i = from; i < to; i++) {
      names.add("<|%sreserved_special_token_%d|>".formatted(kind, i));
    }
  }
}
