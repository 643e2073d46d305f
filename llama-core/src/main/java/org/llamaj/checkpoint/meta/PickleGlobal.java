package org.llamaj.checkpoint.meta;

import java.util.Optional;
import org.llamaj.tensor.ElementType;

/** The only names of Python that a pickle may use, and what stands for them here. */
enum PickleGlobal {
  /** Becomes a map. */
  ORDERED_DICT("collections", "OrderedDict", null),
  /** Becomes a {@link PickledTensor}. */
  REBUILD_TENSOR("torch._utils", "_rebuild_tensor_v2", null),
  /** Becomes the tensor in it. */
  REBUILD_PARAMETER("torch._utils", "_rebuild_parameter", null),
  /** A type of values. */
  FLOAT("torch", "FloatStorage", ElementType.F32),
  /** A type of values. */
  HALF("torch", "HalfStorage", ElementType.F16),
  /** A type of values. */
  BFLOAT16("torch", "BFloat16Storage", ElementType.BF16),
  /** A type of values. */
  DOUBLE("torch", "DoubleStorage", ElementType.F64),
  /** A type of values. */
  LONG("torch", "LongStorage", ElementType.I64),
  /** A type of values. */
  INT("torch", "IntStorage", ElementType.I32),
  /** A type of values. */
  SHORT("torch", "ShortStorage", ElementType.I16),
  /** A type of values. */
  CHAR("torch", "CharStorage", ElementType.I8),
  /** A type of values. */
  BYTE("torch", "ByteStorage", ElementType.U8),
  /** A type of values. */
  BOOL("torch", "BoolStorage", ElementType.BOOL);

  private final String module;
  private final String name;
  private final ElementType type;

  PickleGlobal(String module, String name, ElementType type) {
    this.module = module;
    this.name = name;
    this.type = type;
  }

  static PickleGlobal of(String module, String name, PickleReader reader) {
    for (PickleGlobal global : values()) {
      if (global.module.equals(module) && global.name.equals(name)) return global;
    }
    throw reader.failure(
        "expected nothing but tensors, found the name %s.%s, which they do not need; it is not run"
            .formatted(module, name));
  }

  /** What a storage of this name holds; empty for names of functions. */
  Optional<ElementType> type() {
    return Optional.ofNullable(type);
  }
}
