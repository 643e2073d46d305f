package org.llamaj.kernel.cuda.driver;

import org.llamaj.LlamaException;

/** A call of CUDA's that has failed, under CUDA's own name and text. */
public final class CudaException extends LlamaException {
  private static final long serialVersionUID = 1L;

  /** Out of device memory. */
  static final int OUT_OF_MEMORY = 2;

  /** The compiler does not know an option, an architecture for example. */
  static final int NVRTC_INVALID_OPTION = 5;

  /** From here on, errors of the driver mean that the context is of no more use. */
  private static final int STICKY = 700;

  private static final int AFTER_STICKY = 800;

  private final int code;

  CudaException(int code, String message) {
    super(message);
    this.code = code;
  }

  /**
   * What CUDA returned.
   *
   * @return a number of {@code CUresult} or {@code nvrtcResult}; 0 if it was not CUDA that failed
   */
  public int code() {
    return code;
  }

  /**
   * Whether the device had no memory left.
   *
   * @return false for all other errors
   */
  public boolean isOutOfMemory() {
    return code == OUT_OF_MEMORY;
  }

  /**
   * Whether the device is lost for this process: a kernel crashed, or the device was taken away.
   *
   * @return true if no further call can succeed
   */
  public boolean isLost() {
    return code >= STICKY && code < AFTER_STICKY || code == 46 || code == 999;
  }
}
