/**
 * Meta's own files: {@code params.json} and {@code consolidated.00.pth}, which PyTorch wrote: a zip
 * archive with the tensors' data, uncompressed and used where it lies, and a pickle that describes
 * them. Pickles are programs; the one reader here knows only how to build tensors, dictionaries,
 * lists and plain values, and refuses everything else by name. Nothing in a file is ever run.
 */
package org.llamaj.checkpoint.meta;
