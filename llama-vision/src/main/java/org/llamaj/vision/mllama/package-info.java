/** The image encoder of Llama 3.2 Vision. */
package org.llamaj.vision.mllama;
