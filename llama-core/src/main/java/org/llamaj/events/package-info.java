/**
 * What Java Flight Recorder is told: loading, waiting, prompts, generated texts, forward passes.
 */
package org.llamaj.events;
