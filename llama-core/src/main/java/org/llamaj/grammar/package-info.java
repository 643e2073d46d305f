/**
 * Holding generated text to a grammar: GBNF, JSON Schema, regular expressions, lists of texts.
 *
 * <p>A notation is read into {@code Expression}s, checked as {@code Rules}, and compiled into an
 * {@code Automaton} over bytes with calls. Its stacks of calls are the states of a deterministic
 * automaton that is built while it runs ({@code StateSpace}). {@code TokenMasks} find the tokens of
 * a vocabulary that a state allows by walking with it through the {@code TokenTrie}.
 */
package org.llamaj.grammar;
