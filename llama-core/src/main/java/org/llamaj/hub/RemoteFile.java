package org.llamaj.hub;

/**
 * A file on the Hub.
 *
 * @param name with its folder
 * @param size in bytes
 * @param hash SHA-256 of a large file, or the SHA-1 that git gives a small one, in hexadecimal
 */
record RemoteFile(String name, long size, String hash) {

  /** Whether the hash is of the content alone. */
  boolean isSha256() {
    return hash.length() == 64;
  }
}
