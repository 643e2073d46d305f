/**
 * The safetensors format: a JSON header that names tensors, and their data. Read in place. Names
 * stay what the file says.
 */
package org.llamaj.checkpoint.safetensors;
