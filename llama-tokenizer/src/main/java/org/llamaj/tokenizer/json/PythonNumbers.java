package org.llamaj.tokenizer.json;

import java.math.BigDecimal;

/** Numbers as Python writes them; the models have read them that way. */
public final class PythonNumbers {
  private PythonNumbers() {}

  /**
   * What {@code repr} gives for a number: the fewest digits that tell it apart, with an exponent
   * below 1e-4 and from 1e16 on.
   *
   * @param number any number
   * @return its text
   */
  public static String repr(Number number) {
    if (number instanceof BigDecimal decimal) {
      return decimal.toString();
    }
    if (!(number instanceof Double || number instanceof Float)) {
      return number.toString();
    }
    double value = number.doubleValue();
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    String sign = value < 0 ? "-" : "";
    BigDecimal shortest = new BigDecimal(Double.toString(Math.abs(value))).stripTrailingZeros();
    String digits = shortest.unscaledValue().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
    }
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return "%s%c%se%c%02d"
        .formatted(sign, digits.charAt(0), fraction, exponent < 0 ? '-' : '+', Math.abs(exponent));
  }
}
