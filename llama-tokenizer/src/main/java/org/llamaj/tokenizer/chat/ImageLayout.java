package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** How a picture stands among a model's tokens. */
public sealed interface ImageLayout {
  /** Llama 4 as Meta published it: up to 16 tiles of 336 x 336 pixels, 144 patches for each. */
  ImageLayout LLAMA_4 = new Tiles(336, 16, 144);

  /** Llama 3.2 Vision. */
  ImageLayout LLAMA_3 = new OneToken();

  /**
   * The control tokens of a picture.
   *
   * @param width in pixels
   * @param height in pixels
   * @return the tokens' names, in order
   */
  List<String> tokens(int width, int height);

  /**
   * The token whose places are the picture's.
   *
   * @return its name
   */
  String placeholder();

  /**
   * The next smaller layout, for prompts that were written with fewer tiles.
   *
   * @return a layout with one tile less at most, or empty if there is none
   */
  default Optional<ImageLayout> smaller() {
    return Optional.empty();
  }

  /**
   * The ids of a picture's tokens.
   *
   * @param tokenizer the model's tokenizer
   * @param width in pixels
   * @param height in pixels
   * @return the ids
   * @throws TokenizerException if the vocabulary lacks one of the tokens
   */
  default int[] ids(Tokenizer tokenizer, int width, int height) {
    return tokens(width, height).stream().mapToInt(token -> id(tokenizer, token)).toArray();
  }

  /**
   * The id of a token of this layout.
   *
   * @param tokenizer the model's tokenizer
   * @param token its name
   * @return the id that the model's embedding table knows
   * @throws TokenizerException if the vocabulary lacks it
   */
  default int id(Tokenizer tokenizer, String token) {
    return tokenizer
        .special(token)
        .orElseThrow(
            () ->
                new TokenizerException(
                    "The vocabulary has no %s: this is a model of text".formatted(token)));
  }

  /**
   * A block of patches for each tile, with separators after the tiles and rows, and one for the
   * whole picture (Llama 4). A picture of one tile is written once only.
   *
   * @param tile width and height of a tile in pixels
   * @param maxTiles how many tiles a picture has at most, the whole picture not counted
   * @param patches tokens of a tile
   */
  record Tiles(int tile, int maxTiles, int patches) implements ImageLayout {
    private static final String PATCH = "<|patch|>";

    /** Refuses layouts without tiles. */
    public Tiles {
      if (tile < 1 || maxTiles < 1 || patches < 1) {
        throw new IllegalArgumentException(
            "Expected tiles and patches of at least 1, found %d, %d, %d"
                .formatted(tile, maxTiles, patches));
      }
    }

    @Override
    public String placeholder() {
      return PATCH;
    }

    @Override
    public Optional<ImageLayout> smaller() {
      return maxTiles == 1 ? Optional.empty() : Optional.of(new Tiles(tile, maxTiles - 1, patches));
    }

    @Override
    public List<String> tokens(int width, int height) {
      ImageTiling tiling = ImageTiling.of(width, height, tile, maxTiles);
      List<String> tokens = new ArrayList<>();
      tokens.add("<|image_start|>");
      if (tiling.tiles() > 1) {
        for (int y = 0; y < tiling.tilesY(); y++) {
          for (int x = 0; x < tiling.tilesX(); x++) {
            addPatches(tokens);
            boolean lastOfRow = x + 1 == tiling.tilesX();
            tokens.add(lastOfRow ? "<|tile_y_separator|>" : "<|tile_x_separator|>");
          }
        }
      }
      tokens.add("<|image|>");
      addPatches(tokens);
      tokens.add("<|image_end|>");
      return tokens;
    }

    private void addPatches(List<String> tokens) {
      for (int i = 0; i < patches; i++) {
        tokens.add(PATCH);
      }
    }
  }

  /** One token: the model looks at the picture through cross-attention (Llama 3.2 Vision). */
  record OneToken() implements ImageLayout {
    private static final String IMAGE = "<|image|>";

    // The embedding of the image token lies after the vocabulary, whatever id the tokenizer of
    // Meta's release, where the token has a reserved place, knows it by.
    private static final int RESERVED = 128_011;
    private static final int EMBEDDED = 128_256;

    @Override
    public String placeholder() {
      return IMAGE;
    }

    @Override
    public List<String> tokens(int width, int height) {
      return List.of(IMAGE);
    }

    @Override
    public int id(Tokenizer tokenizer, String token) {
      int id = ImageLayout.super.id(tokenizer, token);
      return id == RESERVED ? EMBEDDED : id;
    }
  }
}
