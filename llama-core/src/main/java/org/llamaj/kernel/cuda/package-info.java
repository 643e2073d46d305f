/**
 * Kernels for NVIDIA's devices: CUDA C in resources, compiled at run time for the device that is
 * there. Nothing of CUDA is needed to build, to test, or to run without such a device.
 *
 * <p>Weights are uploaded when the model is loaded, quantised as they are, as far as there is room;
 * products with the others are made by the kernels of the processor. Activations that the
 * transformer {@linkplain org.llamaj.kernel.Kernels#keep lets these kernels keep} live on the
 * device from the first to the last operation of a pass, and the key-value cache does, so that only
 * token ids, angles and logits travel, or the greatest of the logits. Experts of mixtures are
 * chosen there, too. Operations are collected and started together when somebody waits for a
 * result: a step that has the same launches as an earlier one is a single CUDA graph.
 */
package org.llamaj.kernel.cuda;
