/**
 * Pictures for models that see: with this module on the path, a model loaded with its encoder
 * ({@code LlamaModel.builder(path).mmproj(encoder)}) takes them in prompts and messages.
 */
package org.llamaj.vision;
