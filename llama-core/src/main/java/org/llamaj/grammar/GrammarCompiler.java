package org.llamaj.grammar;

import java.util.LinkedHashMap;
import java.util.Map;
import org.llamaj.tokenizer.Tokenizer;

/**
 * Prepares grammars for a model's vocabulary, and remembers those that were used last. Thread-safe.
 */
public final class GrammarCompiler {
  private static final int REMEMBERED = 32;

  private final Tokenizer tokenizer;
  private TokenTrie trie;
  private final Map<Grammar, TokenMasks> compiled =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Grammar, TokenMasks> eldest) {
          return size() > REMEMBERED;
        }
      };

  /**
   * @param tokenizer of the model
   */
  public GrammarCompiler(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Prepares a grammar.
   *
   * @param grammar what texts have to be like
   * @return shared by all generations with this grammar
   */
  public synchronized TokenMasks compile(Grammar grammar) {
    if (trie == null) {
      trie = new TokenTrie(tokenizer);
    }
    return compiled.computeIfAbsent(grammar, g -> new TokenMasks(g.automaton(), trie));
  }
}
