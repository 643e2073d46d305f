package org.llamaj.examples.demomodel;

import org.llamaj.LlamaModel;
import org.llamaj.ModelBuilder;

/**
 * Shapes: 1.4 million parameters that see, in the form of Llama 4: a vision transformer, pixel
 * shuffle, adapter, and a small Llama that reads their rows. It knows circles, squares, triangles
 * and crosses in six colours, how many there are and where; its model card says how well.
 *
 * <pre>{@code
 * try (LlamaModel model = PictureDemoModel.builder().load();
 *     ChatSession chat = model.chat().temperature(0).open()) {
 *   Content.Image image = model.image(Picture.of(Path.of("picture.png")));
 *   chat.send(Message.user(image, new Content.Text("Describe the picture.")), System.out::print);
 * }
 * }</pre>
 */
public final class PictureDemoModel {
  /** The name of the GGUF file with the language model. */
  public static final String TEXT_FILE = "shapes-f16.gguf";

  /** The name of the GGUF file with the image encoder. */
  public static final String ENCODER_FILE = "mmproj-shapes-f16.gguf";

  private PictureDemoModel() {}

  /**
   * Begins to load the model. Needs llama-vision on the path.
   *
   * @return options to set, then {@link ModelBuilder#load}
   */
  public static ModelBuilder builder() {
    return LlamaModel.builder(PictureDemoModel.class, TEXT_FILE)
        .mmproj(PictureDemoModel.class, ENCODER_FILE);
  }
}
