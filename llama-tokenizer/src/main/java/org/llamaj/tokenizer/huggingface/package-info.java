/** Reads Hugging Face's {@code tokenizer.json}. What is not supported is refused by its name. */
package org.llamaj.tokenizer.huggingface;
