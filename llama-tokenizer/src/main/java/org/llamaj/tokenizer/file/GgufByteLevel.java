package org.llamaj.tokenizer.file;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.llamaj.tokenizer.ByteStrings;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.TokenizerMetadata;
import org.llamaj.tokenizer.bpe.AddedToken;
import org.llamaj.tokenizer.bpe.AddedTokens;
import org.llamaj.tokenizer.bpe.ByteEncoder;
import org.llamaj.tokenizer.bpe.ByteStringTable;
import org.llamaj.tokenizer.bpe.BytePairTokenizer;
import org.llamaj.tokenizer.bpe.MergeTable;
import org.llamaj.tokenizer.bpe.TokenType;
import org.llamaj.tokenizer.bpe.Vocabulary;
import org.llamaj.tokenizer.split.Llama3Splitter;
import org.llamaj.tokenizer.split.Llama4Splitter;
import org.llamaj.tokenizer.split.Splitter;

/** Builds byte-level tokenizers ({@code gpt2}) from GGUF metadata: Llama 3 and Llama 4. */
final class GgufByteLevel {
  private GgufByteLevel() {}

  static Tokenizer read(TokenizerMetadata metadata) {
    Splitter splitter = splitter(metadata);
    ByteStrings tokens = GgufTokenizers.tokens(metadata);
    TokenType[] types = GgufTokenizers.types(metadata, tokens.size());
    EndTokens ends = new EndTokens();
    List<AddedToken> added = new ArrayList<>();
    Vocabulary vocabulary = vocabulary(tokens, types, added, ends);
    ByteStringTable words =
        vocabulary.table(EnumSet.of(TokenType.NORMAL, TokenType.USER_DEFINED, TokenType.BYTE));
    MergeTable rules = rules(metadata, words);
    return new BytePairTokenizer(
        vocabulary,
        new ByteEncoder(words, rules, splitter, true),
        new AddedTokens(added),
        GgufSequenceTokens.read(metadata, tokens.size(), ends, true),
        false);
  }

  private static Splitter splitter(TokenizerMetadata metadata) {
    // Early Llama 3 files lack the key, or say "default".
    String name = metadata.string(GgufTokenizers.PRE).orElse("default");
    return switch (name) {
      case "llama-bpe", "llama3", "llama-v3", "default" -> new Llama3Splitter();
      case "llama4" -> new Llama4Splitter();
      default ->
          throw new TokenizerException(
              "%s: expected llama-bpe, llama3, llama-v3 or llama4, found %s"
                  .formatted(GgufTokenizers.PRE, GgufTokenizers.abbreviate(name)));
    };
  }

  private static Vocabulary vocabulary(
      ByteStrings tokens, TokenType[] types, List<AddedToken> added, EndTokens ends) {
    Vocabulary.Builder builder = new Vocabulary.Builder(tokens.size());
    byte[] scratch = new byte[256];
    for (int id = 0; id < tokens.size(); id++) {
      int start = tokens.start(id);
      int end = tokens.end(id);
      TokenType type = types[id];
      if (scratch.length < end - start) {
        scratch = new byte[2 * (end - start)];
      }
      int length =
          type == TokenType.NORMAL ? ByteAlphabet.decode(tokens.bytes(), start, end, scratch) : -1;
      if (length >= 0) {
        builder.add(scratch, length, type);
        continue;
      }
      builder.add(tokens.bytes(), start, end, type);
      if (type != TokenType.UNUSED) {
        String text = GgufTokenizers.text(tokens.get(id));
        boolean special = type == TokenType.CONTROL || type == TokenType.UNKNOWN;
        if (type != TokenType.NORMAL) {
          added.add(new AddedToken(id, text, special));
        }
        ends.addIfNamed(id, text);
      }
    }
    return builder.build();
  }

  private static MergeTable rules(TokenizerMetadata metadata, ByteStringTable words) {
    ByteStrings merges =
        metadata
            .strings(GgufTokenizers.MERGES)
            .orElseThrow(
                () ->
                    new TokenizerException(
                        GgufTokenizers.MERGES + " is missing: a gpt2 tokenizer needs it"));
    MergeRules rules = new MergeRules(words, merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      rules.add(GgufTokenizers.MERGES, rank, merges.bytes(), merges.start(rank), merges.end(rank));
    }
    return rules.table();
  }
}
