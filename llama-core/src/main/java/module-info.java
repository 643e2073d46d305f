/** Runs the models of the Llama family in this JVM. */
module org.llamaj.core {
  requires jdk.incubator.vector;
  requires jdk.jfr;
  requires transitive org.llamaj.tokenizer;
  requires java.net.http;
  requires org.slf4j;

  exports org.llamaj;
  exports org.llamaj.agent;
  exports org.llamaj.checkpoint;
  exports org.llamaj.checkpoint.gguf;
  exports org.llamaj.checkpoint.huggingface;
  exports org.llamaj.checkpoint.meta;
  exports org.llamaj.checkpoint.safetensors;
  exports org.llamaj.checkpoint.synth;
  exports org.llamaj.convert;
  exports org.llamaj.grammar;
  exports org.llamaj.hub;
  exports org.llamaj.kernel;
  exports org.llamaj.sampling;
  exports org.llamaj.schema;
  exports org.llamaj.spi;
  exports org.llamaj.tensor;
  exports org.llamaj.transformer;

  uses org.llamaj.kernel.KernelProvider;
  uses org.llamaj.spi.FeedForwardProvider;
  uses org.llamaj.spi.MediaEncoderProvider;

  provides org.llamaj.kernel.KernelProvider with
      org.llamaj.kernel.cuda.CudaKernelProvider,
      org.llamaj.kernel.scalar.ScalarKernelProvider,
      org.llamaj.kernel.vector.VectorKernelProvider,
      org.llamaj.kernel.x86.X86KernelProvider;
}
