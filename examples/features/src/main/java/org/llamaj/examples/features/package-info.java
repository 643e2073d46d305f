/**
 * One small program per feature; the README shows what each prints, and a test holds it to that.
 */
package org.llamaj.examples.features;
