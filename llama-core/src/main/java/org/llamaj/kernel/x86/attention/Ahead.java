package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.attention.AttentionCode.ARGUMENTS;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE_BASE;
import static org.llamaj.kernel.x86.attention.AttentionCode.TO_NEXT;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;

/**
 * Emits requests for keys and values that will be needed, since hardware does not know where the
 * next page is. A processor has a dozen of them under way at most: so they are spread evenly, over
 * the arithmetic between keys and values, too, lest memory should rest meanwhile.
 */
final class Ahead {
  private static final int LINE = 64;

  /** What is asked for next. */
  private static final Gpr PLACE = Gpr.R11;

  private final Assembler a;

  Ahead(Assembler a) {
    this.a = a;
  }

  /** From now on the values of the page at hand. */
  void toValues() {
    a.mov(PLACE, PAGE_BASE);
    a.add(PLACE, at(ARGUMENTS, AttentionArguments.VALUES));
  }

  /** From now on the keys of the next page. */
  void toNextKeys() {
    a.lea(PLACE, at(PAGE_BASE, TO_NEXT, 1, 0));
    a.add(PLACE, at(ARGUMENTS, AttentionArguments.KEYS));
  }

  /** Asks for the next lines. */
  void ask(int lines) {
    for (int i = 0; i < lines; i++) {
      a.prefetcht0(at(PLACE, LINE * i));
    }
    if (lines > 0) {
      a.add(PLACE, LINE * lines);
    }
  }

  /** Asks for one share of some lines, of several that are alike. */
  void askShare(int lines, int share, int shares) {
    ask(lines * (share + 1) / shares - lines * share / shares);
  }
}
