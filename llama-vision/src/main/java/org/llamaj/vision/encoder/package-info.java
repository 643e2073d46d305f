/** The vision transformer that both families share: weights, layers, patches. */
package org.llamaj.vision.encoder;
