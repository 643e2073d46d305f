package org.llamaj.kernel.cuda.driver;

/**
 * What a device is.
 *
 * @param handle the driver's number of it
 * @param ordinal its place among the devices
 * @param name as its maker calls it
 * @param major compute capability before the point
 * @param minor compute capability behind the point
 * @param multiprocessors how many blocks of threads run at once, at least
 * @param memory bytes
 */
public record Device(
    int handle, int ordinal, String name, int major, int minor, int multiprocessors, long memory) {

  /**
   * The architecture that machine code is made for.
   *
   * @return for example {@code sm_90}
   */
  public String architecture() {
    return "sm_" + major + minor;
  }

  @Override
  public String toString() {
    return "%s (compute capability %d.%d, %d MiB)".formatted(name, major, minor, memory >> 20);
  }
}
