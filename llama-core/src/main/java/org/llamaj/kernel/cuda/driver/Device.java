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
 * @param clock cycles per second
 * @param memoryClock cycles per second, each of two transfers
 * @param memoryBits of a transfer
 */
public record Device(
    int handle,
    int ordinal,
    String name,
    int major,
    int minor,
    int multiprocessors,
    long memory,
    long clock,
    long memoryClock,
    int memoryBits) {

  /**
   * The architecture that machine code is made for.
   *
   * @return for example {@code sm_90}
   */
  public String architecture() {
    return "sm_" + major + minor;
  }

  /**
   * What the memory gives at most.
   *
   * @return bytes per second; 0 if the driver does not tell
   */
  public double bytesPerSecond() {
    return 2.0 * memoryClock * memoryBits / 8;
  }

  /**
   * What the tensor cores do at most with dense matrices of two-byte numbers. Gaming cards, which
   * cannot be told apart by the driver, may do half of it.
   *
   * @return multiplications and additions per second; 0 if the driver does not tell
   */
  public double operationsPerSecond() {
    int perCycle =
        switch (major) {
          case 8 -> minor == 0 ? 2048 : 1024;
          case 9 -> 4096;
          case 10, 11 -> 8192;
          default -> 1024;
        };
    return (double) perCycle * multiprocessors * clock;
  }

  @Override
  public String toString() {
    return "%s (compute capability %d.%d, %d MiB)".formatted(name, major, minor, memory >> 20);
  }
}
