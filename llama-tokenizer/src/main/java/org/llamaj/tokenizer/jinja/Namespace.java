package org.llamaj.tokenizer.jinja;

import java.util.Map;

/** The one kind of value that a template can change: its members outlive loops. */
record Namespace(Map<String, Object> members) {}
