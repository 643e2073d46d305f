package org.llamaj.tokenizer.huggingface;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.llamaj.tokenizer.bpe.SequenceTokens;
import org.llamaj.tokenizer.file.EndTokens;

/** The special tokens that a file puts before and after a text. */
record Template(List<String> before, List<String> after) {
  static Template of(JsonNode node) {
    List<JsonNode> steps = new ArrayList<>();
    if (!node.isNull()) {
      if (node.type().equals("Sequence")) {
        steps.addAll(node.get("processors").items());
      } else {
        steps.add(node);
      }
    }
    Template template = new Template(List.of(), List.of());
    for (JsonNode step : steps) {
      switch (step.type()) {
        // It only trims offsets.
        case "ByteLevel" -> {}
        case "TemplateProcessing" -> template = single(step.get("single"));
        default -> throw step.unsupported("the post-processor " + step.type());
      }
    }
    return template;
  }

  private static Template single(JsonNode node) {
    List<String> before = new ArrayList<>();
    List<String> after = new ArrayList<>();
    boolean seen = false;
    for (JsonNode item : node.items()) {
      if (item.object().containsKey("Sequence")) {
        seen = true;
      } else {
        (seen ? after : before).add(item.get("SpecialToken").get("id").string());
      }
    }
    if (before.size() > 1 || after.size() > 1) {
      throw node.unsupported("more than one token before or after a text");
    }
    return new Template(before, after);
  }

  /**
   * The ids of these tokens; where the template has none, those that the settings name, or else
   * those with the usual names.
   */
  SequenceTokens sequenceTokens(Model model, SequenceSettings settings) {
    OptionalInt bos = model.special(or(before, settings.bos()), "<|begin_of_text|>", "<s>");
    OptionalInt eos =
        model.special(or(after, settings.eos()), "<|end_of_text|>", "</s>", "<|im_end|>");
    Set<Integer> ends = new HashSet<>(EndTokens.among(model.added()));
    eos.ifPresent(ends::add);
    settings.ends().stream().filter(id -> id < model.vocabulary().size()).forEach(ends::add);
    return new SequenceTokens(
        bos,
        eos,
        settings.addsBos().orElse(!before.isEmpty()),
        settings.addsEos().orElse(!after.isEmpty()),
        ends);
  }

  private static List<String> or(List<String> named, Optional<String> otherwise) {
    return named.isEmpty() ? otherwise.stream().toList() : named;
  }
}
