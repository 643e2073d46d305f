/** Media encoders for llama-core. */
module org.llamaj.vision {
  requires org.llamaj.core;
}
