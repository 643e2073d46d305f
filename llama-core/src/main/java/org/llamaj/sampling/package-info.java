/**
 * Choosing the next token: a chain of {@link org.llamaj.sampling.SamplingStep}s narrows down and
 * reweighs the {@link org.llamaj.sampling.Candidates}, and a draw decides among those that are
 * left.
 *
 * <p>A step is a description without state, part of {@link org.llamaj.SamplingOptions}; each
 * generation begins its own {@link org.llamaj.sampling.SamplingStep.Stage} from it.
 */
package org.llamaj.sampling;
