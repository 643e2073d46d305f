/** Pictures for llama-core: the image encoders of Llama 4 and Llama 3.2 Vision. */
module org.llamaj.vision {
  requires transitive java.desktop;
  requires transitive org.llamaj.core;

  exports org.llamaj.vision;

  provides org.llamaj.spi.MediaEncoderProvider with
      org.llamaj.vision.VisionProvider;
}
