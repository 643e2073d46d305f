/**
 * Block-quantised encodings turned back into floats: the plain reference that every kernel is
 * compared with, one file per family of types.
 */
package org.llamaj.tensor.encoding;
