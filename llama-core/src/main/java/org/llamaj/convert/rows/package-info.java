/** Tensors converted row by row, on many threads, into files or memory. */
package org.llamaj.convert.rows;
