/** How fast the library is, measured with JMH. */
package org.llamaj.examples.benchmarks;
