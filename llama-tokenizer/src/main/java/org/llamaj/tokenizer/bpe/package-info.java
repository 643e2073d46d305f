/**
 * Byte-pair encoding: the vocabulary, the merge rules, the two ways of applying them (to bytes as
 * tiktoken does, to characters as SentencePiece does), and the tokenizer made of these.
 */
package org.llamaj.tokenizer.bpe;
