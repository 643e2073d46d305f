/**
 * An interpreter of the part of Jinja2 that chat templates use, in the environment that Hugging
 * Face's transformers give them: sandboxed, {@code trim_blocks} and {@code lstrip_blocks} on, loop
 * controls, no automatic escaping.
 *
 * <p>It exists because no maintained Java engine renders these templates as Python does: the one
 * that came closest got a fifth of our reference renderings right. A template can reach nothing but
 * the values it is given, cannot change them, and is held to limits of time, size and depth.
 */
package org.llamaj.tokenizer.jinja;
