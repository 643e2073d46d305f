package org.llamaj.transformer;

/**
 * A layer of the decoder: passes the residual stream of a batch through, in place. The last one
 * leaves the {@link WantedRows}, from the first row on.
 */
sealed interface Layer permits DecoderLayer, CrossAttentionLayer {

  /**
   * Passes the rows of a prepared batch through the layer.
   *
   * @param batch says which rows belong to which sequence and what these see
   */
  void forward(Batch batch);
}
