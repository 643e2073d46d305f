package org.llamaj;

/** Where a model's weights live while it runs. */
public enum Residency {
  /**
   * In the file's mapping: loading is instant, models may be larger than memory, and several JVMs
   * share one copy in the system's page cache. The file may be deleted, or replaced by a rename,
   * while the model is open. One that is cut short in place is noticed before each forward pass,
   * but ends the JVM if it happens during one. The default.
   */
  MAPPED,
  /**
   * Copied once, at load, into anonymous memory of large pages (Linux, transparent huge pages).
   * Costs the size of the weights in private memory and the time to read them; saves address
   * translation in every token.
   */
  HUGE_PAGES
}
