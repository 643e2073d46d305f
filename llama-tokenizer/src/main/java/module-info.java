/** Tokenizers and chat formats of the Llama family. */
@SuppressWarnings("module") // The core is built after this module.
module org.llamaj.tokenizer {
  requires tools.jackson.core;

  exports org.llamaj.tokenizer;
  exports org.llamaj.tokenizer.chat;
  exports org.llamaj.tokenizer.json to
      org.llamaj.core;
}
