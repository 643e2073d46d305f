package org.llamaj.kernel;

/**
 * How much of a model a device takes over. What does not fit there is left to the processor.
 *
 * @param device its number, from 0
 * @param layers how many of the model's layers, from the first on; more than it has for all of it,
 *     the projection to the vocabulary included
 * @param modelLayers how many layers the model has
 * @param experts whether the experts of mixtures go there, too
 * @param reservedBytes memory of the device that weights leave free, for keys, values and
 *     activations
 */
public record Offload(
    int device, int layers, int modelLayers, boolean experts, long reservedBytes) {

  /** All of a model, as far as there is room. */
  public static final Offload EVERYTHING =
      new Offload(0, Integer.MAX_VALUE, Integer.MAX_VALUE, true, 0);

  /** Checks the numbers. */
  public Offload {
    if (device < 0 || layers < 0 || reservedBytes < 0) {
      throw new IllegalArgumentException(
          "no offload of %d layers to device %d with %d bytes left"
              .formatted(layers, device, reservedBytes));
    }
  }

  /**
   * Whether a weight belongs on the device.
   *
   * @param name as in GGUF: {@code blk.3.ffn_up.weight}
   * @return true if its layer is one of those that go there
   */
  public boolean takes(String name) {
    if (!name.startsWith("blk.")) {
      return layers >= modelLayers;
    }
    int end = name.indexOf('.', 4);
    String number = end < 0 ? "" : name.substring(4, end);
    boolean numbered = !number.isEmpty() && number.chars().allMatch(Character::isDigit);
    if (!numbered || number.length() > 9 || Integer.parseInt(number) >= layers) {
      return false;
    }
    return experts || !isExpert(name.substring(end + 1));
  }

  /** {@code ffn_up_exps.weight[7]}, or {@code ffn_up.7.weight} as files had it at first. */
  private static boolean isExpert(String name) {
    return name.contains("_exps.") || name.matches("ffn_(gate|up|down)\\.\\d+\\.weight");
  }
}
