/** Emberbrook-3M, a tiny model that was trained for this project, as a class-path resource. */
package org.llamaj.examples.demomodel;
