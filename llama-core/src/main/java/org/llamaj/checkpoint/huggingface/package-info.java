/**
 * Directories as Hugging Face's transformers writes them, in GGUF's names and keys: {@code
 * config.json} becomes metadata, {@code model.layers.0.self_attn.q_proj.weight} becomes {@code
 * blk.0.attn_q.weight}. Tensors stay where they are in the mapped safetensors files.
 */
package org.llamaj.checkpoint.huggingface;
