/** Mixture of experts for llama-core. */
module org.llamaj.moe {
  requires jdk.jfr;
  requires org.llamaj.core;

  provides org.llamaj.spi.FeedForwardProvider with
      org.llamaj.moe.MixtureOfExpertsProvider;
}
