/** Reads the files and metadata that describe tokenizers. */
package org.llamaj.tokenizer.file;
