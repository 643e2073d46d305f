/**
 * The key-value cache: keys and values are written to its pages ({@code CacheWriter}), and queries
 * attend to them ({@code Attention}), where threads want it to parts of a context that are then
 * combined ({@code Partials}). A {@code PageReader} turns what the cache holds into floats, and
 * arithmetic is in float32. With AVX-512 VNNI, a few queries meet quantised pages in integers: keys
 * ({@code IntegerScoreCode}) and values ({@code IntegerValueCode}) are multiplied as they are, by
 * queries and by weights that are rounded to 16 bits.
 */
package org.llamaj.kernel.x86.attention;
