/**
 * Mixture of experts (Shazeer et al. 2017) as in Mixtral and Llama 4: a {@link
 * org.llamaj.moe.Router} chooses a few experts per token, a {@link org.llamaj.moe.Dispatch} groups
 * the tokens of a batch by expert, and each chosen expert's network runs once over its tokens.
 * llama-core finds the module by {@link java.util.ServiceLoader}.
 */
package org.llamaj.moe;
