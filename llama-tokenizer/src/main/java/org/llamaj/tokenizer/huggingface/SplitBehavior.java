package org.llamaj.tokenizer.huggingface;

import java.util.ArrayList;
import java.util.List;

/** What becomes of the delimiters where text is cut. */
enum SplitBehavior {
  /** They are dropped. */
  REMOVED,
  /** Each is a piece of its own. */
  ISOLATED,
  /** Each belongs to the piece before it. */
  MERGED_WITH_PREVIOUS,
  /** Each belongs to the piece after it. */
  MERGED_WITH_NEXT,
  /** Those in a row are one piece. */
  CONTIGUOUS;

  /** A part of a text; either a delimiter or what lies between two. */
  record Span(int start, int end, boolean delimiter) {}

  static SplitBehavior of(JsonNode node) {
    return switch (node.string()) {
      case "Removed" -> REMOVED;
      case "Isolated" -> ISOLATED;
      case "MergedWithPrevious" -> MERGED_WITH_PREVIOUS;
      case "MergedWithNext" -> MERGED_WITH_NEXT;
      case "Contiguous" -> CONTIGUOUS;
      default -> throw node.unsupported("the split behavior " + node.string());
    };
  }

  /** The pieces of a text whose spans cover it. */
  List<String> pieces(String text, List<Span> spans) {
    List<String> pieces = new ArrayList<>();
    int start = -1;
    for (int i = 0; i < spans.size(); i++) {
      Span span = spans.get(i);
      if (this == REMOVED && span.delimiter()) {
        continue;
      }
      int from = start < 0 ? span.start() : start;
      boolean last = i + 1 == spans.size();
      if (!last && joins(span, spans.get(i + 1))) {
        start = from;
      } else {
        pieces.add(text.substring(from, span.end()));
        start = -1;
      }
    }
    return pieces;
  }

  private boolean joins(Span span, Span next) {
    return switch (this) {
      case REMOVED, ISOLATED -> false;
      case MERGED_WITH_PREVIOUS -> !span.delimiter() && next.delimiter();
      case MERGED_WITH_NEXT -> span.delimiter() && !next.delimiter();
      case CONTIGUOUS -> span.delimiter() == next.delimiter();
    };
  }
}
