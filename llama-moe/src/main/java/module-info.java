/** Mixture of experts for llama-core. */
module org.llamaj.moe {
  requires jdk.jfr;
  requires org.llamaj.core;
  requires org.slf4j;

  provides org.llamaj.spi.FeedForwardProvider with
      org.llamaj.moe.MixtureOfExpertsProvider;
}
