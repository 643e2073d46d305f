/**
 * From prompts to tokens: the {@link org.llamaj.generate.Scheduler} lets sequences share forward
 * passes, each through a {@link org.llamaj.generate.Lane}; the {@link
 * org.llamaj.generate.TokenLoop} makes one token after another and has guesses of a {@link
 * org.llamaj.generate.Drafter} checked; stop strings end the text.
 */
package org.llamaj.generate;
