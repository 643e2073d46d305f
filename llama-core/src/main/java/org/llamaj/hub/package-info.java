/**
 * Models from the Hugging Face Hub, in the cache that its own tools use: {@code
 * models--owner--name/blobs} holds files by their hash, {@code refs} what a branch was when it was
 * last looked at, {@code snapshots} the files of a commit by name, as links. Several programs may
 * share it.
 */
package org.llamaj.hub;
