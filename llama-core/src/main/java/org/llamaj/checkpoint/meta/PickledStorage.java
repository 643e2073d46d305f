package org.llamaj.checkpoint.meta;

import java.util.List;
import org.llamaj.tensor.ElementType;

/**
 * Values in an entry of the archive.
 *
 * @param type of all values
 * @param key names the entry: {@code data/} and this
 */
record PickledStorage(ElementType type, String key) {

  /** From what torch.save writes: ("storage", type, key, device, number of values). */
  static PickledStorage of(Object id, PickleReader reader) {
    if (id instanceof List<?> tuple
        && tuple.size() == 5
        && "storage".equals(tuple.get(0))
        && tuple.get(1) instanceof PickleGlobal global
        && global.type().isPresent()
        && tuple.get(2) instanceof String key) {
      return new PickledStorage(global.type().get(), key);
    }
    throw reader.failure("expected a storage: its type, its key, a device, a number of values");
  }
}
