package org.llamaj.kernel.cuda;

/**
 * The kernels of {@code rows.cu}.
 *
 * @param splitBlocks cuts weight blocks in two
 * @param padRows pads rows of weights
 * @param rmsNorm root mean square normalisation
 * @param rotate rotary position embedding
 * @param swiGlu the gate of SwiGLU
 * @param add the residual connection
 * @param addBias adds a vector to every row
 * @param scale multiplies by a number
 * @param copy copies values
 * @param toBfloats rounds rows
 */
record ActivationFunctions(
    long splitBlocks,
    long padRows,
    long rmsNorm,
    long rotate,
    long swiGlu,
    long add,
    long addBias,
    long scale,
    long copy,
    long toBfloats) {

  static ActivationFunctions of(Modules modules) {
    KernelUnit unit = KernelUnit.ACTIVATIONS;
    return new ActivationFunctions(
        modules.function(unit, "split_blocks"),
        modules.function(unit, "pad_rows"),
        modules.function(unit, "rms_norm"),
        modules.function(unit, "rotate"),
        modules.function(unit, "swiglu"),
        modules.function(unit, "add"),
        modules.function(unit, "add_bias"),
        modules.function(unit, "scale"),
        modules.function(unit, "copy"),
        modules.function(unit, "to_bfloats"));
  }
}
