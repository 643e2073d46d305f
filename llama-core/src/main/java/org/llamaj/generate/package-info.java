/** From logits to text: choosing tokens and knowing when to stop. */
package org.llamaj.generate;
