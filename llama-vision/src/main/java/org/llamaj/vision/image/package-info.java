/** From image files to square tiles of pixels, to the bit as the reference implementations. */
package org.llamaj.vision.image;
