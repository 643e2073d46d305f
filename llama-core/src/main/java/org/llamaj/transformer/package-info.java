/**
 * The model's mathematics, as the papers write it: {@link org.llamaj.transformer.Configuration}
 * holds the proportions, {@link org.llamaj.transformer.Transformer} the forward pass from token ids
 * to logits, built of {@link org.llamaj.transformer.DecoderLayer}s of {@link
 * org.llamaj.transformer.Attention} and {@link org.llamaj.transformer.FeedForward}.
 *
 * <p>This is also the level for pipelines of one's own: tokens in, logits out.
 *
 * <pre>{@code
 * Transformer transformer = model.transformer();
 * try (Sequence sequence = transformer.newSequence()) {
 *   Batch batch = transformer.newBatch();
 *   for (int id : ids) batch.add(sequence, id);
 *   batch.wantLogits();            // of the row added last
 *   transformer.forward(batch);
 *   float[] logits = batch.logits(0);
 * }
 * }</pre>
 */
package org.llamaj.transformer;
