package org.llamaj;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.llamaj.generate.Lane;
import org.llamaj.generate.Scheduler;
import org.llamaj.transformer.Sequence;

/**
 * Texts as vectors: the states after the final norm, pooled. Several texts go through the model
 * together, and with the generations that run. Immutable: each method that changes something
 * returns a copy.
 *
 * <pre>{@code
 * List<Embedding> vectors = model.embedding().embed(List.of("a cat", "a kitten"));
 * double alike = vectors.get(0).cosine(vectors.get(1));
 * }</pre>
 */
public final class EmbeddingRequest {
  /** How many texts go through the model together. */
  private static final int TOGETHER = 16;

  private final LlamaModel model;
  private final Pooling pooling;
  private final boolean normalised;

  EmbeddingRequest(LlamaModel model, Pooling pooling, boolean normalised) {
    this.model = model;
    this.pooling = pooling;
    this.normalised = normalised;
  }

  /**
   * Sets how one vector is made of many states.
   *
   * @param value {@link Pooling#MEAN} without it
   * @return a changed copy
   */
  public EmbeddingRequest pooling(Pooling value) {
    return new EmbeddingRequest(model, Objects.requireNonNull(value, "value"), normalised);
  }

  /**
   * Sets whether vectors are scaled to length 1.
   *
   * @param value true without it
   * @return a changed copy
   */
  public EmbeddingRequest normalised(boolean value) {
    return new EmbeddingRequest(model, pooling, value);
  }

  /**
   * Computes the vector of a text.
   *
   * @param text any text
   * @return its vector
   * @throws LlamaException if it does not fit the context
   */
  public Embedding embed(String text) {
    return embed(List.of(text)).getFirst();
  }

  /**
   * Computes the vectors of texts.
   *
   * @param texts any texts
   * @return their vectors, in the same order
   * @throws LlamaException if one does not fit the context
   */
  public List<Embedding> embed(List<String> texts) {
    List<Embedding> vectors = new ArrayList<>();
    for (int from = 0; from < texts.size(); from += TOGETHER) {
      List<Reading> readings = new ArrayList<>();
      try {
        for (String text : texts.subList(from, Math.min(texts.size(), from + TOGETHER))) {
          readings.add(new Reading(text));
        }
        for (Reading reading : readings) {
          vectors.add(reading.vector());
        }
      } finally {
        readings.forEach(Reading::close);
      }
    }
    return vectors;
  }

  /** A text on its way through the model. */
  private final class Reading {
    private final Sequence sequence = model.transformer().newSequence();
    private final Lane lane;
    private final float[] sum = new float[model.transformer().configuration().dim()];
    private final int tokens;

    Reading(String text) {
      int[] ids = model.promptIds(text);
      if (ids.length == 0) {
        sequence.close();
        throw new IllegalArgumentException("expected texts of at least one token, found none");
      }
      Scheduler scheduler = model.scheduler();
      lane = scheduler.open(sequence, 0, OptionalLong.empty());
      tokens = ids.length;
      int first = pooling == Pooling.LAST ? tokens - 1 : 0;
      int last = pooling == Pooling.CLS ? 0 : tokens - 1;
      lane.submitStates(
          (batch, to, index) -> {
            batch.add(to, ids[index]);
            if (index >= first && index <= last) {
              batch.addStateTo(sum);
            }
          },
          tokens);
    }

    Embedding vector() {
      lane.await();
      if (pooling == Pooling.MEAN) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] /= tokens;
        }
      }
      Embedding vector = new Embedding(sum);
      return normalised ? vector.normalised() : vector;
    }

    void close() {
      lane.close();
      sequence.close();
    }
  }
}
