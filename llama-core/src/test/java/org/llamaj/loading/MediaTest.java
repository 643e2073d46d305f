package org.llamaj.loading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.llamaj.Picture;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.Storage;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.scalar.ScalarKernelProvider;
import org.llamaj.spi.MediaEncoder;
import org.llamaj.spi.MediaEncoding;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.ImageLayout;

class MediaTest {
  private static final int ROWS = 10;
  private static final int COLUMNS = 25;
  private static final long ENCODING_BYTES = 4L * ROWS * COLUMNS;

  /** Makes rows of the same size of every picture, and tells what it was asked. */
  private static class Eyes implements MediaEncoder {
    final List<Picture> seen = new ArrayList<>();
    boolean closed;

    @Override
    public ImageLayout layout() {
      return new ImageLayout.Tiles(8, 2, ROWS);
    }

    @Override
    public Content.Image look(Picture picture) {
      return new Content.Image(8, 8, picture);
    }

    @Override
    public MediaEncoding encode(Picture picture, ImageLayout layout, BooleanSupplier cancelled) {
      seen.add(picture);
      return new MediaEncoding.EmbeddingRows(
          new FloatMatrix(MemorySegment.ofArray(new float[ROWS * COLUMNS]), ROWS, COLUMNS));
    }

    @Override
    public String description() {
      return "for tests";
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private static final Picture A = picture("a");
  private static final Picture B = picture("b");
  private static final Picture C = picture("c");

  @Test
  void looksOnceAtEqualPictures() {
    Eyes eyes = new Eyes();
    try (Media media = media(eyes, 10 * ENCODING_BYTES)) {
      MediaEncoding first = encode(media, A);
      assertThat(encode(media, picture("a"))).isSameAs(first);
      assertThat(encode(media, B)).isNotSameAs(first);
    }
    assertThat(eyes.seen).containsExactly(A, B);
  }

  @Test
  void aPictureInFewerTilesIsAnother() {
    Eyes eyes = new Eyes();
    try (Media media = media(eyes, 10 * ENCODING_BYTES)) {
      media.encode(A, eyes.layout(), () -> false);
      media.encode(A, eyes.layout().smaller().orElseThrow(), () -> false);
    }
    assertThat(eyes.seen).containsExactly(A, A);
  }

  @Test
  void forgetsWhatWasNotUsedForLongest() {
    Eyes eyes = new Eyes();
    try (Media media = media(eyes, 2 * ENCODING_BYTES)) {
      encode(media, A);
      encode(media, B);
      encode(media, A); // now B is the oldest
      encode(media, C); // which goes
      encode(media, A);
      encode(media, C);
      assertThat(eyes.seen).containsExactly(A, B, C);
      encode(media, B);
      assertThat(eyes.seen).containsExactly(A, B, C, B);
      encode(media, A); // went for B
      assertThat(eyes.seen).containsExactly(A, B, C, B, A);
    }
  }

  @Test
  void remembersTheLastOneHoweverLarge() {
    Eyes eyes = new Eyes();
    try (Media media = media(eyes, ENCODING_BYTES - 1)) {
      encode(media, A);
      encode(media, A);
      encode(media, B);
      encode(media, A);
    }
    assertThat(eyes.seen).containsExactly(A, B, A);
  }

  @Test
  void whatWasCancelledIsNotRemembered() {
    Eyes eyes =
        new Eyes() {
          @Override
          public MediaEncoding encode(
              Picture picture, ImageLayout layout, BooleanSupplier cancelled) {
            MediaEncoding encoding = super.encode(picture, layout, cancelled);
            if (cancelled.getAsBoolean()) {
              throw new CancellationException();
            }
            return encoding;
          }
        };
    try (Media media = media(eyes, 10 * ENCODING_BYTES)) {
      assertThatThrownBy(() -> media.encode(A, eyes.layout(), () -> true))
          .isInstanceOf(CancellationException.class);
      encode(media, A);
    }
    assertThat(eyes.seen).containsExactly(A, A);
  }

  @Test
  @Timeout(600)
  void closingEndsTheWorkAtHand() throws Exception {
    CountDownLatch began = new CountDownLatch(1);
    Eyes eyes =
        new Eyes() {
          @Override
          public MediaEncoding encode(
              Picture picture, ImageLayout layout, BooleanSupplier cancelled) {
            began.countDown();
            while (!cancelled.getAsBoolean()) {
              Thread.onSpinWait();
            }
            assertThat(closed).as("closed while it works").isFalse();
            throw new CancellationException();
          }
        };
    Media media = media(eyes, ENCODING_BYTES);
    CompletableFuture<MediaEncoding> work = CompletableFuture.supplyAsync(() -> encode(media, A));
    began.await();
    media.close();
    assertThat(eyes.closed).isTrue();
    assertThatThrownBy(() -> work.get()).hasCauseInstanceOf(CancellationException.class);
    assertThatThrownBy(() -> encode(media, A)).isInstanceOf(CancellationException.class);
  }

  private static MediaEncoding encode(Media media, Picture picture) {
    return media.encode(picture, media.encoder().layout(), () -> false);
  }

  private static Media media(MediaEncoder encoder, long cacheBytes) {
    Kernels kernels = new ScalarKernelProvider().open(new Workers(1));
    Checkpoint weights =
        new Checkpoint(new Metadata("eyes", new LinkedHashMap<>()), List.of(), new Storage());
    return new Media(encoder, kernels, weights, true, cacheBytes);
  }

  private static Picture picture(String content) {
    return Picture.of(content.getBytes(StandardCharsets.UTF_8));
  }
}
