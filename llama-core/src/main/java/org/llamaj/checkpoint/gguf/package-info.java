/**
 * GGUF files, versions 2 and 3: reading, with every claim of the file checked before it is used,
 * and writing.
 */
package org.llamaj.checkpoint.gguf;
