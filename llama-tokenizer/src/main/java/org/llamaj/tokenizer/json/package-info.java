/** JSON texts as plain Java values and back, on top of Jackson's streaming core. */
package org.llamaj.tokenizer.json;
