package org.llamaj.transformer;

/**
 * The proportions of a decoder-only transformer of the Llama family.
 *
 * @param architecture as the checkpoint names it, {@code llama}
 * @param vocabularySize number of token ids
 * @param contextLength tokens the model was trained for
 * @param dim width of the residual stream
 * @param layers number of decoder layers
 * @param heads query heads
 * @param kvHeads key/value heads, divides {@code heads}
 * @param headDim length of one head's query, key and value
 * @param feedForwardDim width of the dense feed-forward network
 * @param experts number of experts per layer, 0 for a dense model
 * @param expertsUsed experts each token goes through, 0 for a dense model
 * @param normEps added to the mean square in RMSNorm
 * @param ropeDimensions rotated components per head, even and at most {@code headDim}
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling how rotary positions are stretched
 */
public record Configuration(
    String architecture,
    int vocabularySize,
    int contextLength,
    int dim,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForwardDim,
    int experts,
    int expertsUsed,
    float normEps,
    int ropeDimensions,
    double ropeTheta,
    RopeScaling ropeScaling) {}
