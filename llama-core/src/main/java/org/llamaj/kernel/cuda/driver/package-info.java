/**
 * CUDA's driver API, NVRTC and the objects they hand out, by {@code java.lang.foreign}. Libraries
 * are looked for when a {@link org.llamaj.kernel.cuda.driver.Driver} is opened and not before.
 * Every call is checked. What has been opened belongs to a {@link
 * org.llamaj.kernel.cuda.driver.Context} and is given back with it.
 */
package org.llamaj.kernel.cuda.driver;
