/**
 * Conversations, and the formats in which models of the Llama family expect them.
 *
 * <p>A {@link org.llamaj.tokenizer.chat.ChatFormat} turns a {@link
 * org.llamaj.tokenizer.chat.Conversation} into token ids directly: control tokens are set as ids,
 * and the text of messages is encoded as plain text, so no message can forge a control token.
 */
package org.llamaj.tokenizer.chat;
