/** What weights are made of: element types, shapes, and named tensors over memory. */
package org.llamaj.tensor;
