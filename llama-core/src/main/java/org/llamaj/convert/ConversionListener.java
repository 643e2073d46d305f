package org.llamaj.convert;

/** Told how far a conversion has come. What it throws ends the conversion. */
@FunctionalInterface
public interface ConversionListener {
  /**
   * Called after every few megabytes, by the thread that converts.
   *
   * @param bytes of tensor data written
   * @param totalBytes of tensor data in all
   */
  void onProgress(long bytes, long totalBytes);
}
