/**
 * Model files: named tensors used where they lie in the mapped file, and metadata in GGUF's
 * vocabulary of keys.
 */
package org.llamaj.checkpoint;
