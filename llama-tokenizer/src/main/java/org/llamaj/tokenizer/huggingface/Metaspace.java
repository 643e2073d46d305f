package org.llamaj.tokenizer.huggingface;

import org.llamaj.tokenizer.bpe.SpacePrefix;

/** The step that writes spaces as U+2581. */
final class Metaspace {
  private Metaspace() {}

  /** Where it puts a space before the text. */
  static SpacePrefix prefix(JsonNode node) {
    if (!node.get("replacement").string().equals("\u2581")) {
      throw node.get("replacement").unsupported("another replacement than U+2581");
    }
    if (node.get("split").bool(true)) {
      // Splitting before each U+2581 changes nothing unless a token has one inside, which the
      // encoder would then use; that no Llama file asks for.
      throw node.unsupported("split = true");
    }
    JsonNode scheme = node.get("prepend_scheme");
    if (scheme.isNull()) {
      return node.get("add_prefix_space").bool(true) ? SpacePrefix.UNLESS_THERE : SpacePrefix.NEVER;
    }
    return switch (scheme.string()) {
      case "always" -> SpacePrefix.UNLESS_THERE;
      case "first" -> SpacePrefix.AT_START_UNLESS_THERE;
      case "never" -> SpacePrefix.NEVER;
      default -> throw scheme.unexpected("always, first or never");
    };
  }
}
