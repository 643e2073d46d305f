/** Text to token ids and back. */
package org.llamaj.tokenizer;
