package org.llamaj.grammar;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.sampling.Candidates;

/**
 * Holds one generation to a grammar. Used by one thread.
 *
 * <p>Can also see to it that the text is complete within a number of tokens. A token fits if the
 * shortest way to the end that then remains takes no more bytes than tokens are left; where that is
 * not so, as when much is prescribed, the shortest way is planned token by token and kept to.
 */
public final class TokenConstraint {
  /** So many tokens are looked at near the limit. */
  private static final int MOST_TRIED = 64;

  private final TokenMasks masks;
  private final TokenTrie trie;
  private State state;
  private boolean atStart;

  /** Tokens that lead to the end in time, where counting bytes does not show that there are any. */
  private List<Integer> plan = List.of();

  private State planned;
  private List<Integer> lastPlan;

  TokenConstraint(TokenMasks masks) {
    this.masks = masks;
    trie = masks.trie();
    state = masks.space().start();
    atStart = trie.dropsFirstSpace();
  }

  /**
   * Whether the text is complete, so that it may end.
   *
   * @return true if the grammar accepts it
   */
  public boolean mayEnd() {
    return state.complete();
  }

  /**
   * Whether the text is complete and nothing may follow.
   *
   * @return true if the generation is to end
   */
  public boolean isDone() {
    return state.complete() && state.tops().length == 0;
  }

  /**
   * Removes all tokens that the grammar does not allow here.
   *
   * @param candidates of the next token
   * @throws GrammarException if the vocabulary has none that is allowed
   */
  public void narrow(Candidates candidates) {
    keep(candidates, atStart ? firstMask() : masks.mask(state));
  }

  /**
   * Keeps those of the most probable tokens after which the text can be completed in time, and the
   * first one of the shortest way to the end. The cost is bounded: the rest of the vocabulary is
   * not looked through.
   *
   * @param candidates of the next token
   * @param tokensLeft how many tokens there may be, this one included
   */
  public void narrowToFit(Candidates candidates, int tokensLeft) {
    narrow(candidates);
    long[] bits = new long[masks.words()];
    int tried = Math.min(MOST_TRIED, candidates.size());
    candidates.sortTop(tried);
    for (int i = 0; i < tried; i++) {
      int token = candidates.id(i);
      boolean allowed = candidates.logit(i) > Float.NEGATIVE_INFINITY;
      if (allowed && (trie.isEnd(token) || after(token).shortest() < tokensLeft)) {
        bits[token >>> 6] |= 1L << token;
      }
    }
    List<Integer> shortest = plan.isEmpty() ? plan(state) : plan;
    if (shortest.isEmpty()) {
      trie.addEnds(bits);
    } else {
      bits[shortest.getFirst() >>> 6] |= 1L << shortest.getFirst();
    }
    keep(candidates, TokenMask.of(bits));
  }

  private void keep(Candidates candidates, TokenMask mask) {
    if (mask.count() == 0) {
      throw new GrammarException(
          "expected a token of the vocabulary with which the grammar can go on, found none");
    }
    candidates.keepAll(mask.bits(), mask.count());
  }

  /**
   * Whether the text could be completed in time after a token.
   *
   * @param token an allowed one
   * @param tokensLeft how many tokens there may be, this one included
   * @return false if it would be cut off
   */
  public boolean fits(int token, int tokensLeft) {
    if (trie.isEnd(token) || !plan.isEmpty() && plan.getFirst() == token) {
      return true;
    }
    State next = after(token);
    return next.shortest() <= tokensLeft - 1 || plan(next).size() <= tokensLeft - 1;
  }

  /**
   * How many tokens a text needs at least, as far as is easily told.
   *
   * @return enough to complete the text from here
   * @throws GrammarException if the vocabulary lacks tokens for single bytes
   */
  public int enoughTokens() {
    return plan(state).size();
  }

  /**
   * Takes the next token of the text.
   *
   * @param token an allowed one
   * @param tokensLeft how many may follow; a large number if that does not matter
   * @throws GrammarException if it is not allowed
   */
  public void accept(int token, int tokensLeft) {
    if (trie.isEnd(token)) {
      return;
    }
    State next = after(token);
    if (next.isDead()) {
      throw new GrammarException(
          "expected a token that the grammar allows, found \"%s\"".formatted(text(token)));
    }
    boolean planned = !plan.isEmpty() && plan.getFirst() == token;
    List<Integer> rest = planned ? plan.subList(1, plan.size()) : List.of();
    state = next;
    atStart = false;
    plan = next.shortest() <= tokensLeft ? List.of() : planned ? rest : plan(next);
  }

  /**
   * Prepares for a limit before the first token.
   *
   * @param tokensLeft how many tokens there may be
   * @throws GrammarException if no text of the grammar is that short, as far as is easily told
   */
  public void limit(int tokensLeft) {
    if (state.shortest() > tokensLeft) {
      plan = plan(state);
      if (plan.size() > tokensLeft) {
        throw new GrammarException(
            "expected a limit of at least %d tokens, which the shortest text of the grammar takes,"
                    .formatted(plan.size())
                + " found %d: raise the limit, or do without completion".formatted(tokensLeft));
      }
    }
  }

  private String text(int token) {
    return new String(trie.bytes(token), StandardCharsets.UTF_8);
  }

  private State after(int token) {
    byte[] bytes = trie.bytes(token);
    int from = atStart && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
    return bytes.length == 0 ? masks.space().dead() : state.next(bytes, from);
  }

  /** At the start of a text that loses a space there. */
  private TokenMask firstMask() {
    long[] bits = masks.mask(state).bits().clone();
    dropSpaced(bits);
    int space = trie.first((byte) ' ');
    trie.addTokens(space, bits);
    trie.walk(space, state, (node, _) -> trie.addTokens(node, bits));
    return TokenMask.of(bits);
  }

  private void dropSpaced(long[] bits) {
    for (int id = 0; id < trie.vocabularySize(); id++) {
      byte[] bytes = trie.bytes(id);
      if (bytes.length > 0 && bytes[0] == ' ') {
        bits[id >>> 6] &= ~(1L << id);
      }
    }
  }

  /** The shortest way to the end, cut into the longest tokens; the last one is remembered. */
  private List<Integer> plan(State from) {
    if (from != planned) {
      lastPlan = findPlan(from);
      planned = from;
    }
    return lastPlan;
  }

  private List<Integer> findPlan(State from) {
    byte[] bytes = shortestText(from, masks.space().automaton());
    List<Integer> tokens = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      int token = trie.longestToken(bytes, at);
      if (token < 0) {
        throw new GrammarException(
            "expected a vocabulary with a token for each byte, to complete any text;"
                + " found none for byte %d".formatted(bytes[at] & 0xff));
      }
      tokens.add(token);
      at += trie.bytes(token).length;
    }
    return tokens;
  }

  /** The fewest bytes that complete a text. */
  static byte[] shortestText(State from, Automaton automaton) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    State current = from;
    while (!current.complete()) {
      State best = null;
      int bestByte = 0;
      for (int c = 0; c < automaton.classCount(); c++) {
        int b = automaton.representative(c);
        State next = current.next((byte) b);
        if (!next.isDead() && (best == null || next.shortest() < best.shortest())) {
          best = next;
          bestByte = b;
        }
      }
      bytes.write(bestByte);
      current = best;
    }
    return bytes.toByteArray();
  }
}
