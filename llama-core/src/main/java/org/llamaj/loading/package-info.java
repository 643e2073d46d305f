/**
 * Turns an opened checkpoint into a running transformer: reads the configuration, checks and binds
 * the tensors, chooses the kernels. The one place that knows both files and kernels.
 */
package org.llamaj.loading;
