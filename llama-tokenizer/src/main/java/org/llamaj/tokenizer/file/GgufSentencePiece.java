package org.llamaj.tokenizer.file;

import org.llamaj.tokenizer.ByteStrings;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.TokenizerMetadata;
import org.llamaj.tokenizer.bpe.TokenType;

/** Builds SentencePiece tokenizers ({@code llama}) from GGUF metadata: Llama 1 and Llama 2. */
final class GgufSentencePiece {
  private GgufSentencePiece() {}

  static Tokenizer read(TokenizerMetadata metadata) {
    ByteStrings tokens = GgufTokenizers.tokens(metadata);
    TokenType[] types = GgufTokenizers.types(metadata, tokens.size());
    float[] scores =
        metadata
            .floats(GgufTokenizers.SCORES)
            .orElseThrow(
                () ->
                    new TokenizerException(
                        GgufTokenizers.SCORES + " is missing: a llama tokenizer needs it"));
    if (scores.length != tokens.size()) {
      throw new TokenizerException(
          "%s: expected %d scores, one for each token, found %d"
              .formatted(GgufTokenizers.SCORES, tokens.size(), scores.length));
    }
    refuse(metadata, "tokenizer.ggml.remove_extra_whitespaces");
    if (metadata
        .integers("tokenizer.ggml.precompiled_charsmap")
        .filter(m -> m.length > 0)
        .isPresent()) {
      throw new TokenizerException(
          "tokenizer.ggml.precompiled_charsmap: text normalisation is not supported");
    }
    var builder = new SentencePieceBuilder(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      builder.add(tokens.get(id), scores[id], types[id]);
    }
    return builder.build(
        metadata.bool("tokenizer.ggml.add_space_prefix").orElse(true),
        GgufTokenizers.id(metadata, "tokenizer.ggml.unknown_token_id", tokens.size()),
        ends -> GgufSequenceTokens.read(metadata, tokens.size(), ends, true));
  }

  private static void refuse(TokenizerMetadata metadata, String key) {
    if (metadata.bool(key).orElse(false)) {
      throw new TokenizerException(key + ": expected false, found true, which is not supported");
    }
  }
}
