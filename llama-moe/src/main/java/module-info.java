/** Mixture of experts for llama-core. */
module org.llamaj.moe {
  requires org.llamaj.core;
}
