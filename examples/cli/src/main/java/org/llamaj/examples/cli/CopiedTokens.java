package org.llamaj.examples.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/**
 * Makes a sequence long without reading its tokens: a page of keys and values that a model has
 * computed is restored again and again, as if a session were. How fast attention is does not depend
 * on the values.
 */
final class CopiedTokens {
  private final Transformer transformer;
  private final int[] ids;

  /**
   * @param ids what the tokens are called; repeated
   */
  CopiedTokens(Transformer transformer, int[] ids) {
    this.transformer = transformer;
    this.ids = ids;
  }

  /**
   * Fills an empty sequence.
   *
   * @param page a sequence with at least one full page
   * @param tokens how many there should be; whole pages of them are made
   * @return how many there are
   */
  int fill(Sequence page, Sequence empty, int tokens) {
    int pages = tokens / AttentionShape.PAGE_TOKENS;
    if (pages == 0) {
      return 0;
    }
    try {
      empty.restore(new DataInputStream(saved(page, pages)));
      return empty.length();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What {@link Sequence#save} would write of a sequence of so many pages. */
  private InputStream saved(Sequence page, int pages) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    page.save(new DataOutputStream(bytes), AttentionShape.PAGE_TOKENS);
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(head);
    out.writeUTF(in.readUTF());
    in.skipNBytes(Integer.BYTES + (long) Integer.BYTES * AttentionShape.PAGE_TOKENS);
    out.writeInt(pages);
    byte[] content = in.readAllBytes();
    int vocabulary = transformer.configuration().vocabularySize();
    for (int i = 0; i < pages * AttentionShape.PAGE_TOKENS; i++) {
      // Unlike those of any other round, so that no page is found again.
      out.writeInt((ids[i % ids.length] + i / ids.length) % vocabulary);
    }
    List<InputStream> parts =
        Stream.concat(Stream.of(head.toByteArray()), Stream.generate(() -> content).limit(pages))
            .<InputStream>map(ByteArrayInputStream::new)
            .toList();
    return new SequenceInputStream(Collections.enumeration(parts));
  }
}
