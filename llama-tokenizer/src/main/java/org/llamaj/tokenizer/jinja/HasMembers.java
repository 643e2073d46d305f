package org.llamaj.tokenizer.jinja;

/** A value with members of its own. */
interface HasMembers {
  /** The member of a name, or null. */
  Object member(String name);
}
