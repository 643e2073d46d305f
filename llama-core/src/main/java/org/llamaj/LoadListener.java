package org.llamaj;

/** Told how far the loading of a model has come. */
@FunctionalInterface
public interface LoadListener {

  /**
   * A step is done.
   *
   * @param fraction from 0 to 1
   */
  void onProgress(double fraction);
}
