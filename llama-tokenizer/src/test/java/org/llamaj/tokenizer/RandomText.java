package org.llamaj.tokenizer;

import java.util.Random;

/**
 * Random valid Unicode text, with everything that tokenizers stumble over more often than chance.
 */
public final class RandomText {
  private static final String[] AWKWARD = {
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u0085",
    "\u001c",
    "'s",
    "'LL",
    "'\u017f",
    "'re",
    "1",
    "12",
    "1234",
    "\u0663",
    "\u00bd",
    "a",
    "A",
    "aB",
    "Abc",
    "\u01c5",
    "\u02b0",
    "\u05d0",
    "\u0301",
    "\u093f",
    "e\u0301",
    "/",
    "//",
    "<|eot_id|>",
    "<s>",
    "</s>",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u180e",
    "\u4e2d\u6587",
    "\ud83d\ude42",
    "\ud83d\udc4d\ud83c\udffd",
    "!",
    "...",
    "{\"a\": 1}",
    "the",
    " world",
    "\u0000",
    "\u007f",
    "\ufffd",
    "\ue000",
    "\udbff\udfff"
  };

  private final Random random;

  public RandomText(long seed) {
    random = new Random(seed);
  }

  public String next() {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(24); i > 0; i--) {
      switch (random.nextInt(4)) {
        case 0 -> text.appendCodePoint(codePoint());
        case 1 -> text.append((char) (' ' + random.nextInt(95)));
        default -> text.append(AWKWARD[random.nextInt(AWKWARD.length)]);
      }
    }
    return text.toString();
  }

  private int codePoint() {
    while (true) {
      int limit = random.nextBoolean() ? 0x3000 : random.nextBoolean() ? 0x20000 : 0x110000;
      int c = random.nextInt(limit);
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        return c;
      }
    }
  }
}
