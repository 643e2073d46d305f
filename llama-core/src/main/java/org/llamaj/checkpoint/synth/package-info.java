/**
 * Model files with the shapes of published models and random weights, for benchmarks and tests that
 * need the size of a model but not its knowledge.
 */
package org.llamaj.checkpoint.synth;
