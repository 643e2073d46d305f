package org.llamaj.hub;

/** Is told how far a download has come. */
@FunctionalInterface
public interface DownloadListener {
  /**
   * Called now and then, on the downloading thread.
   *
   * @param file the name of the current file
   * @param bytes of all files that are there by now, those of earlier tries included
   * @param totalBytes of all files
   */
  void onProgress(String file, long bytes, long totalBytes);
}
