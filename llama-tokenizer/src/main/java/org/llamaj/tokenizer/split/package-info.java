/** Cuts text into the words that byte-pair encoding then works on, one by one. */
package org.llamaj.tokenizer.split;
