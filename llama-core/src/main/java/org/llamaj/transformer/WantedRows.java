package org.llamaj.transformer;

import java.util.Arrays;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Span;
import org.llamaj.tensor.FloatMatrix;

/**
 * The rows of a batch whose final state somebody wants. Once the last layer has stored the keys and
 * values of all rows, nothing more has to be computed for the others.
 */
final class WantedRows {
  private static final Span[] NONE = {};

  private final int[] rows;
  private int count;

  /** By row of the batch: its place among the wanted ones. */
  private final int[] places;

  private Span[] spans = NONE;
  private int spanCount;

  WantedRows(int capacity) {
    rows = new int[capacity];
    places = new int[capacity];
  }

  /** Finds them in a batch whose spans are known. */
  void find(Batch batch) {
    Arrays.fill(places, 0, batch.size(), -1);
    for (int i = 0; i < batch.logitsCount(); i++) {
      places[batch.logitsRow(i)] = 0;
    }
    count = 0;
    for (int row = 0; row < batch.size(); row++) {
      if (places[row] == 0 || batch.stateTarget(row) != null) {
        places[row] = count;
        rows[count++] = row;
      }
    }
    if (count == batch.size()) {
      spans = batch.spans();
      spanCount = batch.spanCount();
    } else {
      findSpans(batch);
    }
  }

  /** Neighbours in a span of the batch stay together. */
  private void findSpans(Batch batch) {
    spans = new Span[count];
    spanCount = 0;
    int next = 0;
    for (int i = 0; i < batch.spanCount() && next < count; i++) {
      Span span = batch.spans()[i];
      int end = span.firstRow() + span.rows();
      while (next < count && rows[next] < end) {
        int first = next++;
        while (next < count && rows[next] < end && rows[next] == rows[next - 1] + 1) {
          next++;
        }
        int position = span.lastKey(rows[first] - span.firstRow());
        spans[spanCount++] = new Span(span.pages(), first, next - first, position);
      }
    }
  }

  /** Lets go of the sequences. */
  void clear() {
    spans = NONE;
    spanCount = 0;
    count = 0;
  }

  /** How many there are. */
  int count() {
    return count;
  }

  /** Which row of the batch a wanted one is. */
  int row(int place) {
    return rows[place];
  }

  /** Where among the wanted rows one of them is. */
  int place(int row) {
    return places[row];
  }

  /** Which of the wanted rows belong to which sequence. */
  Span[] spans() {
    return spans;
  }

  int spanCount() {
    return spanCount;
  }

  /** Moves the wanted rows to the beginning. */
  void moveUp(Kernels kernels, FloatMatrix matrix) {
    for (int place = 0; place < count; place++) {
      if (rows[place] != place) {
        kernels.copyRow(matrix, rows[place], matrix, place);
      }
    }
  }
}
