package org.llamaj.tokenizer.file;

import java.util.OptionalInt;
import org.llamaj.tokenizer.TokenizerMetadata;
import org.llamaj.tokenizer.bpe.SequenceTokens;

/** Reads the ids of the tokens at the ends of sequences. */
final class GgufSequenceTokens {
  private GgufSequenceTokens() {}

  static SequenceTokens read(
      TokenizerMetadata metadata, int tokens, EndTokens endTokens, boolean addsBosByDefault) {
    OptionalInt bos = GgufTokenizers.id(metadata, "tokenizer.ggml.bos_token_id", tokens);
    OptionalInt eos = GgufTokenizers.id(metadata, "tokenizer.ggml.eos_token_id", tokens);
    eos.ifPresent(endTokens::add);
    GgufTokenizers.id(metadata, "tokenizer.ggml.eot_token_id", tokens).ifPresent(endTokens::add);
    GgufTokenizers.id(metadata, "tokenizer.ggml.eom_token_id", tokens).ifPresent(endTokens::add);
    return new SequenceTokens(
        bos,
        eos,
        metadata.bool("tokenizer.ggml.add_bos_token").orElse(addsBosByDefault),
        metadata.bool("tokenizer.ggml.add_eos_token").orElse(false),
        endTokens.ids());
  }
}
