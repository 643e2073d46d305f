/**
 * Models that act: tools in Java, a loop that runs them, checks of safety, and steps put together.
 *
 * <p>An {@link org.llamaj.agent.Agent} is a conversation in which the model may call {@link
 * org.llamaj.agent.Tool}s. A {@link org.llamaj.agent.Step} is any function, made for putting
 * several together.
 */
package org.llamaj.agent;
