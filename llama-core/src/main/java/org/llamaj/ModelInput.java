package org.llamaj;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.llamaj.loading.Media;
import org.llamaj.spi.MediaEncoding;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.ImageLayout;
import org.llamaj.tokenizer.chat.Prompt;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * What a model reads: token ids, with pictures in the places of some. Made by {@link
 * LlamaModel#input}. Immutable but for the encodings of the pictures, which come with {@link
 * #encode}; used by one thread at a time.
 */
public final class ModelInput {

  /**
   * A picture among the ids.
   *
   * @param picture the image file
   * @param layout how it is laid out
   * @param places the indices of its placeholders, ascending
   */
  private record Place(Picture picture, ImageLayout layout, int[] places) {}

  private final int[] ids;
  private final List<Place> pictures;
  private final Optional<Media> media;

  /** By index: the picture whose placeholder it is, or null. */
  private final Place[] at;

  private final MediaEncoding[] encodings; // by picture; null before it is encoded

  private ModelInput(int[] ids, List<Place> pictures, Optional<Media> media) {
    this.ids = ids;
    this.pictures = List.copyOf(pictures);
    this.media = media;
    encodings = new MediaEncoding[pictures.size()];
    at = new Place[ids.length];
    for (Place place : pictures) {
      for (int index : place.places()) {
        at[index] = place;
      }
    }
  }

  /** Token ids alone. */
  static ModelInput of(int[] ids) {
    return new ModelInput(ids, List.of(), Optional.empty());
  }

  /**
   * Gives pictures their places. Where the ids have the pictures' placeholders, those are taken;
   * where they have a mark for each picture, the picture's tokens replace it; where they have
   * neither, the pictures go to the beginning.
   *
   * @throws LlamaException if there is not a place for each picture and a picture for each place
   */
  static ModelInput of(int[] ids, List<Picture> pictures, Tokenizer tokenizer, Media media) {
    ImageLayout layout = media.encoder().layout();
    try {
      int placeholder = layout.id(tokenizer, layout.placeholder());
      int mark = layout.id(tokenizer, "<|image|>");
      List<Content.Image> images = pictures.stream().map(media.encoder()::look).toList();
      int[] all = ids;
      if (indices(ids, placeholder, 0, ids.length).length == 0) {
        List<int[]> blocks =
            images.stream().map(i -> layout.ids(tokenizer, i.width(), i.height())).toList();
        all =
            indices(ids, mark, 0, ids.length).length == 0
                ? before(ids, blocks, begin(ids, tokenizer, layout))
                : instead(ids, mark, blocks);
      }
      List<Place> places = new ArrayList<>();
      int from = 0;
      for (int i = 0; i < images.size(); i++) {
        Block block = Block.find(all, from, images.get(i), layout, tokenizer);
        if (block == null) {
          throw new LlamaException(
              "expected the tokens of %d pictures in the prompt, found those of %d: picture %d, of %d x %d pixels, has no place"
                  .formatted(
                      images.size(), i, i + 1, images.get(i).width(), images.get(i).height()));
        }
        int[] indices = indices(all, placeholder, block.start(), block.end());
        places.add(new Place(pictures.get(i), block.layout(), indices));
        from = block.end();
      }
      if (indices(all, placeholder, from, all.length).length > 0) {
        throw new LlamaException(
            "expected the tokens of %d pictures in the prompt, found those of more"
                .formatted(images.size()));
      }
      return new ModelInput(all, places, Optional.of(media));
    } catch (TokenizerException e) {
      throw new LlamaException(e.getMessage(), e);
    }
  }

  /** The tokens of a picture. */
  private record Block(int start, int end, ImageLayout layout) {

    /** The next one, written with as many tiles as the layout allows, or fewer. */
    static Block find(
        int[] ids, int from, Content.Image image, ImageLayout layout, Tokenizer tokenizer) {
      Block best = null;
      Optional<ImageLayout> candidate = Optional.of(layout);
      while (candidate.isPresent()) {
        int[] block = candidate.get().ids(tokenizer, image.width(), image.height());
        int start = indexOf(ids, block, from);
        if (start >= 0 && (best == null || start < best.start())) {
          best = new Block(start, start + block.length, candidate.get());
        }
        candidate = candidate.get().smaller();
      }
      return best;
    }

    private static int indexOf(int[] ids, int[] block, int from) {
      for (int start = from; start + block.length <= ids.length; start++) {
        if (Arrays.equals(ids, start, start + block.length, block, 0, block.length)) {
          return start;
        }
      }
      return -1;
    }
  }

  /** What a chat format wrote. */
  static ModelInput of(Prompt prompt, Tokenizer tokenizer, Media media) {
    int[] ids = prompt.ids();
    ImageLayout layout = media.encoder().layout();
    int placeholder = layout.id(tokenizer, layout.placeholder());
    List<Place> places = new ArrayList<>();
    for (Prompt.ImagePlace image : prompt.images()) {
      int[] indices = indices(ids, placeholder, image.start(), image.end());
      places.add(new Place(LlamaModel.picture(image.image()), layout, indices));
    }
    return new ModelInput(ids, places, Optional.of(media));
  }

  /**
   * The token ids, placeholders of pictures included.
   *
   * @return a copy
   */
  public int[] ids() {
    return ids.clone();
  }

  /**
   * How many tokens.
   *
   * @return tokens, placeholders of pictures included
   */
  public int length() {
    return ids.length;
  }

  boolean hasPictures() {
    return !pictures.isEmpty();
  }

  /** The ids before the first picture. */
  int[] plain() {
    int first = 0;
    while (first < ids.length && at[first] == null) {
      first++;
    }
    return Arrays.copyOf(ids, first);
  }

  int id(int index) {
    return ids[index];
  }

  /**
   * Encodes the pictures, if that has not been done.
   *
   * @param cancelled asked now and then; true ends the work
   * @throws LlamaException if a picture cannot be decoded
   * @throws java.util.concurrent.CancellationException if the work was cancelled
   */
  public void encode(BooleanSupplier cancelled) {
    encode(0, cancelled);
  }

  /**
   * Encodes the pictures that are needed to read from a token on, if that has not been done.
   *
   * @param first index of the first token that is to be read
   * @param cancelled asked now and then; true ends the work
   * @throws LlamaException if a picture cannot be decoded
   * @throws java.util.concurrent.CancellationException if the work was cancelled
   */
  public void encode(int first, BooleanSupplier cancelled) {
    for (int i = 0; i < encodings.length; i++) {
      Place place = pictures.get(i);
      if (encodings[i] == null && place.places()[place.places().length - 1] >= first) {
        encodings[i] = media.orElseThrow().encode(place.picture(), place.layout(), cancelled);
      }
    }
  }

  /**
   * Adds one of the tokens, or what a picture has in its place, to a batch. The pictures must have
   * been {@linkplain #encode encoded}.
   *
   * @param batch receives it
   * @param sequence where it belongs
   * @param index which of the tokens
   */
  public void add(Batch batch, Sequence sequence, int index) {
    Place place = at[index];
    if (place == null) {
      batch.add(sequence, ids[index]);
      return;
    }
    switch (encodings[pictures.indexOf(place)]) {
      case MediaEncoding.EmbeddingRows(var rows) ->
          batch.add(sequence, rows, Arrays.binarySearch(place.places(), index));
      case MediaEncoding.CrossAttentionStates(var states) ->
          batch.add(sequence, ids[index], states);
    }
  }

  /** How many tokens, from the first one on, this and another input share. */
  int commonPrefix(ModelInput other) {
    int mismatch = Arrays.mismatch(ids, other.ids);
    int common = mismatch < 0 ? ids.length : mismatch;
    for (int i = 0; i < common; i++) {
      boolean same =
          at[i] == null || other.at[i] == null
              ? at[i] == other.at[i]
              : at[i].picture().equals(other.at[i].picture())
                  && at[i].layout().equals(other.at[i].layout());
      if (!same) {
        return i;
      }
    }
    return common;
  }

  /** This input without its end. */
  ModelInput first(int count) {
    List<Place> rest = new ArrayList<>();
    for (Place place : pictures) {
      int[] places = Arrays.stream(place.places()).filter(index -> index < count).toArray();
      if (places.length > 0) {
        rest.add(new Place(place.picture(), place.layout(), places));
      }
    }
    return new ModelInput(Arrays.copyOf(ids, count), rest, media);
  }

  /** This input with more after it. */
  ModelInput plus(ModelInput next) {
    int[] all = Arrays.copyOf(ids, ids.length + next.ids.length);
    System.arraycopy(next.ids, 0, all, ids.length, next.ids.length);
    List<Place> both = new ArrayList<>(pictures);
    for (Place place : next.pictures) {
      int[] moved = Arrays.stream(place.places()).map(index -> index + ids.length).toArray();
      both.add(new Place(place.picture(), place.layout(), moved));
    }
    return new ModelInput(all, both, media.or(() -> next.media));
  }

  /** After the token that begins a text; Llama 3.2 Vision learned pictures in front of it. */
  private static int begin(int[] ids, Tokenizer tokenizer, ImageLayout layout) {
    boolean begins = ids.length > 0 && tokenizer.special("<|begin_of_text|>").orElse(-1) == ids[0];
    return begins && !(layout instanceof ImageLayout.OneToken) ? 1 : 0;
  }

  private static int[] before(int[] ids, List<int[]> blocks, int begin) {
    List<int[]> parts = new ArrayList<>(blocks);
    parts.addFirst(Arrays.copyOf(ids, begin));
    parts.add(Arrays.copyOfRange(ids, begin, ids.length));
    return parts.stream().flatMapToInt(Arrays::stream).toArray();
  }

  private static int[] instead(int[] ids, int mark, List<int[]> blocks) {
    int marks = indices(ids, mark, 0, ids.length).length;
    if (marks != blocks.size()) {
      throw new LlamaException(
          "expected a mark <|image|> for each of %d pictures, found %d"
              .formatted(blocks.size(), marks));
    }
    var next = blocks.iterator();
    return Arrays.stream(ids)
        .flatMap(id -> id == mark ? Arrays.stream(next.next()) : Arrays.stream(new int[] {id}))
        .toArray();
  }

  private static int[] indices(int[] ids, int id, int from, int to) {
    return IntStream.range(from, to).filter(i -> ids[i] == id).toArray();
  }
}
