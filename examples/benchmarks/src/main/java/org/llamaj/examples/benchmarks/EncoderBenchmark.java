package org.llamaj.examples.benchmarks;

import java.awt.image.BufferedImage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import org.llamaj.Picture;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.spi.MediaEncoder;
import org.llamaj.spi.MediaEncoderProvider;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.vision.Pictures;
import org.llamaj.vision.VisionProvider;

/**
 * Times Llama 4's image encoder in its real size (34 layers, width 1408, 577 positions) on a
 * picture of one tile, with random weights: {@code EncoderBenchmark FILE THREADS KERNELS ROUNDS}.
 * The file, an {@code mmproj} in F16 of 1.7 GB, is written if it is not there; llama.cpp reads it,
 * too.
 */
public final class EncoderBenchmark {
  private static final int DIM = 1408;
  private static final int WIDE = 5632;
  private static final int LAYERS = 34;
  private static final int ADAPTER = 4096;
  private static final int TEXT = 5120;

  private EncoderBenchmark() {}

  /**
   * Runs the benchmark and prints seconds per picture.
   *
   * @param args file, threads, kernels, rounds
   */
  public static void main(String[] args) {
    Path file = Path.of(args[0]);
    if (!Files.exists(file)) {
      write(file);
    }
    KernelProvider provider =
        java.util.ServiceLoader.load(KernelProvider.class).stream()
            .map(java.util.ServiceLoader.Provider::get)
            .filter(p -> p.name().equals(args[2]))
            .findFirst()
            .orElseThrow();
    MediaEncoderProvider vision = new VisionProvider();
    try (Workers workers = new Workers(Integer.parseInt(args[1]));
        Kernels kernels = provider.open(workers);
        Checkpoint checkpoint = GgufReader.open(file);
        MediaEncoder encoder = vision.open(checkpoint, TEXT, kernels, workers)) {
      Picture picture = noise();
      double[] seconds = new double[Integer.parseInt(args[3])];
      for (int round = 0; round < seconds.length; round++) {
        long start = System.nanoTime();
        encoder.encode(picture, encoder.layout(), () -> false);
        seconds[round] = (System.nanoTime() - start) / 1e9;
        System.out.printf("%.3f s%n", seconds[round]);
      }
      Arrays.sort(seconds);
      System.out.printf("%s: median %.3f s%n", kernels.description(), seconds[seconds.length / 2]);
    }
  }

  private static Picture noise() {
    BufferedImage image = new BufferedImage(336, 336, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(1);
    for (int i = 0; i < 336 * 336; i++) {
      image.setRGB(i % 336, i / 336, random.nextInt());
    }
    return Pictures.of(image);
  }

  private static void write(Path file) {
    List<TensorDescription> tensors = new ArrayList<>();
    // Unlike the convolutions of other encoders, a plain matrix in the files of llama.cpp.
    tensors.add(describe("v.patch_embd.weight", ElementType.F16, DIM, 3 * 14 * 14));
    tensors.add(describe("v.class_embd", ElementType.F32, DIM));
    tensors.add(describe("v.position_embd.weight", ElementType.F32, 577, DIM));
    for (String norm : List.of("v.pre_ln", "v.post_ln")) {
      vectors(tensors, norm, DIM);
    }
    for (int layer = 0; layer < LAYERS; layer++) {
      String block = "v.blk." + layer + ".";
      vectors(tensors, block + "ln1", DIM);
      vectors(tensors, block + "ln2", DIM);
      for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_out")) {
        linear(tensors, block + name, DIM, DIM);
      }
      linear(tensors, block + "ffn_up", WIDE, DIM);
      linear(tensors, block + "ffn_down", DIM, WIDE);
    }
    tensors.add(describe("mm.model.mlp.1.weight", ElementType.F16, ADAPTER, 4 * DIM));
    tensors.add(describe("mm.model.mlp.2.weight", ElementType.F16, ADAPTER, ADAPTER));
    tensors.add(describe("mm.model.fc.weight", ElementType.F16, TEXT, ADAPTER));
    try (GgufWriter writer = GgufWriter.create(file, metadata(), tensors)) {
      Random random = new Random(1);
      for (TensorDescription tensor : tensors) {
        int count = Math.toIntExact(tensor.shape().elements());
        float size = (float) (1 / Math.sqrt(tensor.shape().columns()));
        boolean halves = tensor.type() == ElementType.F16;
        MemorySegment data = MemorySegment.ofArray(new byte[(halves ? 2 : 4) * count]);
        for (int i = 0; i < count; i++) {
          float value = (random.nextFloat() * 2 - 1) * size;
          if (halves) {
            data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, Float.floatToFloat16(value));
          } else {
            data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, value);
          }
        }
        writer.write(data);
      }
      writer.finish();
    }
  }

  private static void linear(List<TensorDescription> to, String name, int outputs, int inputs) {
    to.add(describe(name + ".weight", ElementType.F16, outputs, inputs));
    to.add(describe(name + ".bias", ElementType.F32, outputs));
  }

  private static void vectors(List<TensorDescription> to, String name, int length) {
    to.add(describe(name + ".weight", ElementType.F32, length));
    to.add(describe(name + ".bias", ElementType.F32, length));
  }

  private static TensorDescription describe(String name, ElementType type, long... sizes) {
    return new TensorDescription(name, type, Shape.of(sizes));
  }

  private static SequencedMap<String, MetadataValue> metadata() {
    SequencedMap<String, MetadataValue> all = new LinkedHashMap<>();
    String v = "clip.vision.";
    all.put("general.architecture", MetadataValue.Text.of("clip"));
    all.put("general.type", MetadataValue.Text.of("mmproj"));
    all.put("general.file_type", whole(1));
    all.put("clip.has_vision_encoder", new MetadataValue.Flag(true));
    all.put("clip.projector_type", MetadataValue.Text.of("llama4"));
    all.put("clip.use_gelu", new MetadataValue.Flag(true));
    all.put(v + "image_size", whole(336));
    all.put(v + "patch_size", whole(14));
    all.put(v + "embedding_length", whole(DIM));
    all.put(v + "feed_forward_length", whole(WIDE));
    all.put(v + "projection_dim", whole(TEXT));
    all.put(v + "attention.head_count", whole(16));
    all.put(v + "block_count", whole(LAYERS));
    all.put(v + "projector.scale_factor", whole(2));
    all.put(
        v + "attention.layer_norm_epsilon", new MetadataValue.Real(MetadataType.FLOAT32, 1e-5f));
    all.put(v + "image_mean", MetadataValue.Sequence.ofFloats(0.5f, 0.5f, 0.5f));
    all.put(v + "image_std", MetadataValue.Sequence.ofFloats(0.5f, 0.5f, 0.5f));
    return all;
  }

  private static MetadataValue whole(int value) {
    return new MetadataValue.Whole(MetadataType.UINT32, value);
  }
}
