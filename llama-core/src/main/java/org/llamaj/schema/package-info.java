/**
 * Java types as JSON: the schema of a type, for models and grammars, and values read and written.
 *
 * <p>One walk over a type gives its {@code Shape}, which makes the schema and reads the values, so
 * that the two cannot disagree.
 */
package org.llamaj.schema;
