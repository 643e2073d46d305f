/**
 * What other modules implement to widen the core: feed-forward networks other than the dense one
 * (llama-moe), encoders of media (llama-vision). Kernels have their interface in {@link
 * org.llamaj.kernel}, beside the types it speaks of.
 */
package org.llamaj.spi;
