/**
 * The key-value cache: keys and values are written to its pages ({@code CacheWriter}), and queries
 * attend to them ({@code Attention}), where threads want it to parts of a context that are then
 * combined ({@code Partials}). Arithmetic is in float32 at every level, whatever the cache's type;
 * a {@code PageReader} turns what it holds into floats.
 */
package org.llamaj.kernel.x86.attention;
