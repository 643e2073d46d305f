package org.llamaj;

/**
 * A document and how well it fits a question.
 *
 * @param index which of the documents
 * @param document its text
 * @param score mean log-probability of the question's tokens after the document; greater is better
 */
public record Ranked(int index, String document, double score) {}
