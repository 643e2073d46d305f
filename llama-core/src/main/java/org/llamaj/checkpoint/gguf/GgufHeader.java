package org.llamaj.checkpoint.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SequencedMap;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Real;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.tensor.Shape;

/** Writes what stands before the tensors' data. */
final class GgufHeader {
  static final int MAGIC = 0x46554747; // "GGUF"
  private static final int VERSION = 3;

  private final ByteArrayOutputStream out;
  private final ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);

  private GgufHeader(ByteArrayOutputStream out) {
    this.out = out;
  }

  static void write(
      ByteArrayOutputStream out,
      SequencedMap<String, MetadataValue> metadata,
      List<TensorDescription> tensors,
      int alignment) {
    GgufHeader header = new GgufHeader(out);
    header.i32(MAGIC);
    header.i32(VERSION);
    header.i64(tensors.size());
    header.i64(metadata.size());
    metadata.forEach(header::pair);
    long offset = 0;
    for (TensorDescription tensor : tensors) {
      header.description(tensor, offset);
      offset = Math.ceilDiv(offset + tensor.bytes(), alignment) * alignment;
    }
  }

  private void pair(String key, MetadataValue value) {
    string(key.getBytes(StandardCharsets.UTF_8));
    i32(value.type().id());
    switch (value) {
      case Flag flag -> out.write(flag.value() ? 1 : 0);
      case Real real when real.type() == MetadataType.FLOAT32 ->
          i32(Float.floatToRawIntBits((float) real.value()));
      case Real real -> i64(Double.doubleToRawLongBits(real.value()));
      case Whole whole -> integer(whole.value(), whole.type().bytes());
      case Text text -> string(text.bytes());
      case Sequence sequence -> {
        i32(sequence.elementType().id());
        i64(sequence.size());
        out.writeBytes(sequence.bytes());
      }
    }
  }

  private void description(TensorDescription tensor, long offset) {
    Shape shape = tensor.shape();
    if (shape.rank() > GgufPart.MAX_DIMENSIONS) {
      throw new CheckpointException(
          "%s: expected at most %d dimensions, found %s"
              .formatted(tensor.name(), GgufPart.MAX_DIMENSIONS, shape));
    }
    if (!tensor.type().isGgml()) {
      throw new CheckpointException(
          "%s: expected a type that GGUF has, found %s; write it as F16 or BF16"
              .formatted(tensor.name(), tensor.type()));
    }
    string(tensor.name().getBytes(StandardCharsets.UTF_8));
    i32(shape.rank());
    for (int i = shape.rank() - 1; i >= 0; i--) i64(shape.size(i));
    i32(tensor.type().ggmlId());
    i64(offset);
  }

  private void string(byte[] utf8) {
    i64(utf8.length);
    out.writeBytes(utf8);
  }

  private void i32(int value) {
    integer(value, 4);
  }

  private void i64(long value) {
    integer(value, 8);
  }

  private void integer(long value, int bytes) {
    out.write(number.putLong(0, value).array(), 0, bytes);
  }
}
