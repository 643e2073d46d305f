package org.llamaj.tokenizer;

/** The small vocabularies among the test resources. */
public final class TinyTokenizers {
  public static final Tokenizer LLAMA_2 = Tokenizer.of(metadata("tiny-spm-llama2"));
  public static final Tokenizer LLAMA_3 = Tokenizer.of(metadata("tiny-bpe-llama3"));
  public static final Tokenizer LLAMA_4 = Tokenizer.of(metadata("tiny-bpe-llama4"));

  private TinyTokenizers() {}

  public static GgufFile metadata(String name) {
    return GgufFile.read(Golden.resource("tokenizer/" + name + "/vocab.gguf"));
  }
}
