/**
 * How weights of each type are taken apart. A quantised type is described by a {@code BlockFormat}:
 * where its scales are and how its values become bytes; all else is common to the types. Kernels
 * read weights through it as bytes, one row at a time ({@code BlockReader}) or sixteen ({@code
 * PanelRows}), or as floats ({@code RowReader}, {@code UnpackCode}).
 */
package org.llamaj.kernel.x86.format;
