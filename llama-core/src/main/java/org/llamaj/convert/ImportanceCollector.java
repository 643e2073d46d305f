package org.llamaj.convert;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.LlamaModel;
import org.llamaj.ModelBuilder;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.convert.ImportanceMatrix.Entry;
import org.llamaj.kernel.Projection;
import org.llamaj.spi.ProjectionListener;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * Reads a text with a model and sums the squares of what each column of its matrices is multiplied
 * with. Used by one thread.
 */
final class ImportanceCollector implements ProjectionListener {
  /** Matrices of the layers; of several in one tensor, or with a number each, also which one. */
  private static final Pattern IN_LAYER = Pattern.compile("(blk\\..*?)(?:\\[(\\d+)\\])?");

  private static final Pattern EXPERT_ALONE =
      Pattern.compile("(blk\\.\\d+\\.ffn_(?:gate|up|down))\\.(\\d+)\\.weight");

  /** Of one matrix. */
  private static final class Sums {
    final double[] squares;
    long rows;

    Sums(int columns) {
      squares = new double[columns];
    }
  }

  private final int experts;
  private final Map<String, Sums[]> matrices = new LinkedHashMap<>(); // by tensor
  private double[] squares = {};

  private ImportanceCollector(int experts) {
    this.experts = experts;
  }

  /** As {@link ImportanceMatrix#collect}. */
  static ImportanceMatrix collect(
      ModelBuilder builder,
      String text,
      String dataset,
      int chunkTokens,
      int maxChunks,
      ConversionListener progress) {
    ImportanceCollector[] collector = new ImportanceCollector[1];
    try (LlamaModel model =
        builder.onProjection((input, rows, of) -> collector[0].onProject(input, rows, of)).load()) {
      collector[0] = new ImportanceCollector(model.transformer().configuration().experts().count());
      int[] ids = model.tokenizer().encodePrompt(text, SpecialTokens.none());
      int chunks = Math.min(maxChunks, ids.length / chunkTokens);
      if (chunks == 0) {
        throw new CheckpointException(
            "%s: expected a text of at least %d tokens, found %d"
                .formatted(dataset, chunkTokens, ids.length));
      }
      for (int chunk = 0; chunk < chunks; chunk++) {
        int from = chunk * chunkTokens;
        read(model, Arrays.copyOfRange(ids, from, from + chunkTokens));
        progress.onProgress(chunk + 1, chunks);
      }
      return new ImportanceMatrix(
          model.checkpoint().source(), dataset, chunks, chunkTokens, collector[0].entries());
    }
  }

  /** Each piece begins as a text does. */
  private static void read(LlamaModel model, int[] ids) {
    Tokenizer tokenizer = model.tokenizer();
    if (tokenizer.addsBos()) {
      ids[0] = tokenizer.bos().getAsInt();
    }
    Batch batch = model.transformer().newBatch();
    float[] state = new float[model.transformer().configuration().dim()];
    try (Sequence sequence = model.transformer().newSequence()) {
      for (int id : ids) {
        if (batch.size() == batch.capacity()) {
          model.transformer().forward(batch);
          batch.clear();
        }
        batch.add(sequence, id);
        batch.addStateTo(state); // else the last layer leaves the row out
      }
      model.transformer().forward(batch);
    }
  }

  @Override
  public void onProject(FloatMatrix input, int rows, Projection... projections) {
    int columns = input.columns();
    boolean summed = false;
    for (Projection projection : projections) {
      Sums sums = sums(projection.weight().name(), columns);
      if (sums == null) continue;
      if (!summed) {
        sum(input, rows);
        summed = true;
      }
      for (int i = 0; i < columns; i++) {
        sums.squares[i] += squares[i];
      }
      sums.rows += rows;
    }
  }

  private void sum(FloatMatrix input, int rows) {
    int columns = input.columns();
    if (squares.length < columns) squares = new double[columns];
    Arrays.fill(squares, 0, columns, 0);
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < columns; i++) {
        double value = input.get(row, i);
        squares[i] += value * value;
      }
    }
  }

  /** Null for matrices outside the layers. */
  private Sums sums(String weight, int columns) {
    Matcher alone = EXPERT_ALONE.matcher(weight);
    if (alone.matches()) {
      return ofExpert(alone.group(1) + "_exps.weight", Integer.parseInt(alone.group(2)), columns);
    }
    Matcher matcher = IN_LAYER.matcher(weight);
    if (!matcher.matches()) return null;
    if (matcher.group(2) == null) {
      return matrices.computeIfAbsent(weight, _ -> new Sums[] {new Sums(columns)})[0];
    }
    return ofExpert(matcher.group(1), Integer.parseInt(matcher.group(2)), columns);
  }

  private Sums ofExpert(String tensor, int expert, int columns) {
    Sums[] all = matrices.computeIfAbsent(tensor, _ -> new Sums[experts]);
    if (all[expert] == null) all[expert] = new Sums(columns);
    return all[expert];
  }

  private SequencedMap<String, Entry> entries() {
    SequencedMap<String, Entry> entries = new LinkedHashMap<>();
    matrices.forEach((name, sums) -> entries.put(name, entry(sums)));
    return entries;
  }

  private static Entry entry(Sums[] matrices) {
    int columns =
        Arrays.stream(matrices)
            .filter(sums -> sums != null)
            .mapToInt(sums -> sums.squares.length)
            .findFirst()
            .orElseThrow();
    float[] squares = new float[columns * matrices.length];
    float[] rows = new float[matrices.length];
    for (int matrix = 0; matrix < matrices.length; matrix++) {
      if (matrices[matrix] == null) continue;
      for (int i = 0; i < columns; i++) {
        squares[matrix * columns + i] = (float) matrices[matrix].squares[i];
      }
      rows[matrix] = matrices[matrix].rows;
    }
    return new Entry(squares, rows);
  }
}
