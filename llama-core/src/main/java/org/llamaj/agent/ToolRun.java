package org.llamaj.agent;

import org.llamaj.tokenizer.chat.Content;

/**
 * A call of a tool and what came of it.
 *
 * @param call what the model asked for
 * @param result what it is told
 * @param failed whether that is a failure: the tool threw, does not exist, or was not allowed
 */
public record ToolRun(Content.ToolCall call, String result, boolean failed) {}
