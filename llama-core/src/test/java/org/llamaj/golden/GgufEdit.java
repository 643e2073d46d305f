package org.llamaj.golden;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.tensor.Tensor;

/** Makes a changed copy of a model's file, to see how the library takes it. */
public final class GgufEdit {
  private Consumer<SequencedMap<String, MetadataValue>> metadataChange = _ -> {};
  private Function<Tensor, Stream<Tensor>> tensorChange = Stream::of;

  /** Sets an integer. */
  public GgufEdit set(String key, long value) {
    return metadata(m -> m.put(key, new MetadataValue.Whole(MetadataType.UINT32, value)));
  }

  /** Changes the metadata. */
  public GgufEdit metadata(Consumer<SequencedMap<String, MetadataValue>> change) {
    metadataChange = metadataChange.andThen(change);
    return this;
  }

  /** Replaces each tensor by any number of others. */
  public GgufEdit tensors(Function<Tensor, Stream<Tensor>> change) {
    Function<Tensor, Stream<Tensor>> before = tensorChange;
    tensorChange = tensor -> before.apply(tensor).flatMap(change);
    return this;
  }

  /** Drops the tensors whose names end like this. */
  public GgufEdit drop(String ending) {
    return tensors(t -> t.name().endsWith(ending) ? Stream.of() : Stream.of(t));
  }

  /** Writes the copy. */
  public Path write(Path source, Path target) {
    try (Checkpoint checkpoint = GgufReader.open(source)) {
      SequencedMap<String, MetadataValue> metadata =
          new LinkedHashMap<>(checkpoint.metadata().values());
      metadataChange.accept(metadata);
      List<Tensor> tensors = checkpoint.tensors().stream().flatMap(tensorChange).toList();
      try (GgufWriter writer =
          GgufWriter.create(
              target,
              metadata,
              tensors.stream()
                  .map(t -> new TensorDescription(t.name(), t.type(), t.shape()))
                  .toList())) {
        tensors.stream().map(Tensor::data).map(MemorySegment::asReadOnly).forEach(writer::write);
        writer.finish();
      }
    }
    return target;
  }
}
