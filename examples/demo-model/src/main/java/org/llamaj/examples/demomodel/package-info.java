/**
 * Emberbrook-3M and Shapes, tiny models that were trained for this project, as class-path
 * resources.
 */
package org.llamaj.examples.demomodel;
