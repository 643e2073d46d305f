/**
 * Models written again: in other element types, in one GGUF file or several. {@link
 * org.llamaj.convert.Conversion} is the way in.
 */
package org.llamaj.convert;
