package org.llamaj.tokenizer.chat;

import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** How a picture is written among the tokens. */
interface ImageTokens {
  /** Writes a picture. */
  void write(PromptBuilder prompt, Content.Image image);

  /** One token for each picture: the model looks at it through cross-attention (Llama 3.2). */
  static ImageTokens llama3(Tokenizer tokenizer) {
    // The embedding of the image token lies after the vocabulary, whatever id the tokenizer of
    // Meta's release, where the token has a reserved place, knows it by.
    int reserved = 128_011;
    int embedded = 128_256;
    return (prompt, image) -> {
      int id =
          tokenizer
              .special("<|image|>")
              .orElseThrow(
                  () ->
                      new TokenizerException(
                          "Llama 3: the vocabulary has no <|image|>: this is a model of text"));
      int start = prompt.size();
      prompt.token(new ControlToken(id == reserved ? embedded : id, "<|image|>"));
      prompt.image(image, start);
    };
  }

  /**
   * A block of 144 patches for each tile, with separators after the tiles and rows, and one for the
   * whole picture (Llama 4). A picture of one tile is written once only.
   */
  static ImageTokens llama4(Tokenizer tokenizer) {
    int patchesPerTile = 144;
    return (prompt, image) -> {
      if (tokenizer.special("<|patch|>").isEmpty()) {
        throw new TokenizerException(
            "Llama 4: the vocabulary has no <|patch|>: this is a model of text");
      }
      ControlToken patch = ControlToken.of(tokenizer, "Llama 4", "<|patch|>");
      Llama4Tiling tiling = Llama4Tiling.of(image.width(), image.height());
      int start = prompt.size();
      prompt.token(ControlToken.of(tokenizer, "Llama 4", "<|image_start|>"));
      if (tiling.tiles() > 1) {
        for (int y = 0; y < tiling.tilesY(); y++) {
          for (int x = 0; x < tiling.tilesX(); x++) {
            boolean lastOfRow = x + 1 == tiling.tilesX();
            String separator = lastOfRow ? "<|tile_y_separator|>" : "<|tile_x_separator|>";
            prompt.token(patch, patchesPerTile);
            prompt.token(ControlToken.of(tokenizer, "Llama 4", separator));
          }
        }
      }
      prompt.token(ControlToken.of(tokenizer, "Llama 4", "<|image|>"));
      prompt.token(patch, patchesPerTile);
      prompt.token(ControlToken.of(tokenizer, "Llama 4", "<|image_end|>"));
      prompt.image(image, start);
    };
  }
}
