package org.llamaj.tokenizer.huggingface;

import java.util.ArrayList;
import java.util.List;

/**
 * How ids become text again. All that is left to choose is whether a space at the start goes: the
 * vocabulary holds the bytes that tokens stand for.
 */
record Decoder(boolean dropsFirstSpace) {
  static Decoder of(JsonNode node, boolean bytes) {
    List<JsonNode> steps = new ArrayList<>();
    if (!node.isNull()) {
      if (node.type().equals("Sequence")) {
        steps.addAll(node.get("decoders").items());
      } else {
        steps.add(node);
      }
    }
    boolean drops = false;
    for (JsonNode step : steps) {
      switch (step.type()) {
        case "ByteLevel" -> {
          if (!bytes) {
            throw step.unsupported("the decoder ByteLevel without such a pre-tokenizer");
          }
        }
        case "ByteFallback", "Fuse" -> {}
        case "Replace" -> {
          if (!"\u2581".equals(step.get("pattern").object().get("String"))
              || !step.get("content").string().equals(" ")) {
            throw step.unsupported("another replacement than of U+2581 by a space");
          }
        }
        case "Strip" -> {
          if (!step.get("content").string().equals(" ")
              || step.get("start").integer() > 1
              || step.get("stop").integer() > 0) {
            throw step.unsupported("to strip anything but one space at the start");
          }
          drops |= step.get("start").integer() == 1;
        }
        case "Metaspace" ->
            drops |=
                step.get("prepend_scheme").isNull()
                    ? step.get("add_prefix_space").bool(true)
                    : !step.get("prepend_scheme").string().equals("never");
        default -> throw step.unsupported("the decoder " + step.type());
      }
    }
    return new Decoder(drops);
  }
}
