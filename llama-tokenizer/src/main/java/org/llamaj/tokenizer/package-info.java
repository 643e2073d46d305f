/**
 * Text to token ids and back, for all models of the Llama family and their fine-tunes.
 *
 * <p>A {@link org.llamaj.tokenizer.Tokenizer} comes from a file ({@link
 * org.llamaj.tokenizer.Tokenizer#load}) or from the metadata of a model ({@link
 * org.llamaj.tokenizer.Tokenizer#of}). Its ids are those of SentencePiece and tiktoken, which the
 * models were trained with. Conversations are the business of {@link org.llamaj.tokenizer.chat}.
 */
package org.llamaj.tokenizer;
