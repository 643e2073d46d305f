/** The image encoder of Llama 4. */
package org.llamaj.vision.llama4;
