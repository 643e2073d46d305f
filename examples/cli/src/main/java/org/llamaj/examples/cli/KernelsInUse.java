package org.llamaj.examples.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.LlamaModel;

/**
 * What a model runs on, read from its description.
 *
 * @param name of the kernel provider
 * @param threads that compute
 */
record KernelsInUse(String name, int threads) {
  private static final Pattern LINE =
      Pattern.compile("(?m)^kernels\\s+(\\w+).*, (\\d+) threads\\s*$");

  static KernelsInUse of(LlamaModel model) {
    Matcher line = LINE.matcher(model.describe());
    if (!line.find()) {
      throw new IllegalStateException("no line of kernels in: " + model.describe());
    }
    return new KernelsInUse(line.group(1), Integer.parseInt(line.group(2)));
  }
}
