package org.llamaj.checkpoint.meta;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.checkpoint.CheckpointException;

/**
 * Reads the pickles that {@code torch.save} writes (protocol 2), and no others: opcodes and globals
 * that a dictionary of tensors does not need are refused by name. There is no way to name a
 * function, import a module or build an object. Time and memory are linear in the length of the
 * pickle. Opcodes are those of Python's {@code pickletools}.
 */
final class PickleReader {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble BIG_ENDIAN_DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final int MAX_NAME = 256;

  /** Python's None. */
  static final Object NONE = new Object();

  private static final Object MARK = new Object();

  private final MemorySegment pickle;
  private final String source;
  private final List<Object> stack = new ArrayList<>();
  private final Map<Integer, Object> memo = new HashMap<>();
  private long at;

  private PickleReader(MemorySegment pickle, String source) {
    this.pickle = pickle;
    this.source = source;
  }

  /**
   * Reads a pickle.
   *
   * @return a {@link Map}, {@link List}, {@link PickledTensor}, {@link String}, {@link Long},
   *     {@link Double}, {@link Boolean} or {@link #NONE}; may contain itself
   */
  static Object read(MemorySegment pickle, String source) {
    PickleReader reader = new PickleReader(pickle, source);
    try {
      return reader.run();
    } catch (IndexOutOfBoundsException e) {
      throw reader.failure("expected more; is the file complete?");
    }
  }

  private Object run() {
    while (true) {
      int opcode = u8();
      switch (opcode) {
        case 0x80 -> { // PROTO
          int protocol = u8();
          if (protocol != 2) throw failure("expected protocol 2, found " + protocol);
        }
        case '.' -> { // STOP
          return pop();
        }
        case '(' -> push(MARK);
        case '}' -> push(new LinkedHashMap<>()); // EMPTY_DICT
        case ']' -> push(new ArrayList<>()); // EMPTY_LIST
        case ')' -> push(List.of()); // EMPTY_TUPLE
        case 't' -> push(tuple(fromMark())); // TUPLE
        case 0x85 -> push(tuple(last(1))); // TUPLE1
        case 0x86 -> push(tuple(last(2))); // TUPLE2
        case 0x87 -> push(tuple(last(3))); // TUPLE3
        case 'N' -> push(NONE);
        case 0x88 -> push(true); // NEWTRUE
        case 0x89 -> push(false); // NEWFALSE
        case 'J' -> push((long) i32()); // BININT
        case 'K' -> push((long) u8()); // BININT1
        case 'M' -> push((long) u16()); // BININT2
        case 0x8A -> push(longOf(u8())); // LONG1
        case 'G' -> push(real()); // BINFLOAT
        case 'X' -> push(text(i32())); // BINUNICODE
        case 'q' -> memo.put(u8(), peek()); // BINPUT
        case 'r' -> memo.put(i32(), peek()); // LONG_BINPUT
        case 'h' -> push(remembered(u8())); // BINGET
        case 'j' -> push(remembered(i32())); // LONG_BINGET
        case 's' -> putAll(last(2)); // SETITEM
        case 'u' -> putAll(fromMark()); // SETITEMS
        case 'a' -> addAll(last(1)); // APPEND
        case 'e' -> addAll(fromMark()); // APPENDS
        case 'c' -> push(PickleGlobal.of(line(), line(), this)); // GLOBAL
        case 'Q' -> push(PickledStorage.of(pop(), this)); // BINPERSID
        case 'R' -> reduce(); // REDUCE
        case 'b' -> build(); // BUILD
        default ->
            throw failure(
                "expected nothing but tensors, found the opcode %s, which they do not need; it is not run"
                    .formatted(
                        opcode > 32 && opcode < 127
                            ? "'%c'".formatted(opcode)
                            : "0x%02X".formatted(opcode)));
      }
    }
  }

  private void reduce() {
    Object arguments = pop();
    Object callable = pop();
    if (!(callable instanceof PickleGlobal global) || !(arguments instanceof List<?> list)) {
      throw failure("expected a known function and its arguments");
    }
    push(
        switch (global) {
          case ORDERED_DICT -> {
            if (!list.isEmpty()) throw failure("expected an OrderedDict that is empty at first");
            yield new LinkedHashMap<>();
          }
          case REBUILD_TENSOR -> PickledTensor.of(list, this);
          case REBUILD_PARAMETER -> {
            if (list.isEmpty() || !(list.getFirst() instanceof PickledTensor tensor)) {
              throw failure("expected a parameter that is a tensor");
            }
            yield tensor;
          }
          default -> throw failure("%s cannot be called".formatted(global));
        });
  }

  /** Attributes of dictionaries hold the versions of modules, and are not needed. */
  private void build() {
    pop();
    if (!(peek() instanceof Map)) throw failure("expected attributes of a dictionary only");
  }

  private void putAll(List<Object> pairs) {
    if (!(peek() instanceof Map<?, ?>) || pairs.size() % 2 != 0) {
      throw failure("expected pairs for a dictionary");
    }
    @SuppressWarnings("unchecked") // Made here.
    Map<Object, Object> map = (Map<Object, Object>) peek();
    for (int i = 0; i < pairs.size(); i += 2) {
      // Keys of other kinds could be costly to compare.
      if (!(pairs.get(i) instanceof String || pairs.get(i) instanceof Long)) {
        throw failure("expected a string or an integer as key of a dictionary");
      }
      map.put(pairs.get(i), pairs.get(i + 1));
    }
  }

  private void addAll(List<Object> values) {
    if (!(peek() instanceof ArrayList<?>)) throw failure("expected a list to append to");
    @SuppressWarnings("unchecked") // Made here.
    List<Object> list = (List<Object>) peek();
    list.addAll(values);
  }

  private static List<Object> tuple(List<Object> values) {
    return Collections.unmodifiableList(values);
  }

  /** Takes what lies above the last mark, and the mark. */
  private List<Object> fromMark() {
    int mark = stack.lastIndexOf(MARK);
    if (mark < 0) throw failure("expected a mark");
    List<Object> values = last(stack.size() - mark - 1);
    stack.removeLast();
    return values;
  }

  private List<Object> last(int count) {
    int from = stack.size() - count;
    if (from < 0) throw failure("expected %d values, found %d".formatted(count, stack.size()));
    List<Object> values = new ArrayList<>(stack.subList(from, stack.size()));
    if (values.contains(MARK)) throw failure("expected %d values, found a mark".formatted(count));
    stack.subList(from, stack.size()).clear();
    return values;
  }

  private void push(Object value) {
    stack.add(value);
  }

  private Object pop() {
    Object value = peek();
    stack.removeLast();
    return value;
  }

  private Object peek() {
    if (stack.isEmpty() || stack.getLast() == MARK) throw failure("expected a value, found none");
    return stack.getLast();
  }

  private Object remembered(int index) {
    Object value = memo.get(index);
    if (value == null) throw failure("expected a value remembered as %d".formatted(index));
    return value;
  }

  private int u8() {
    return pickle.get(ValueLayout.JAVA_BYTE, at++) & 0xFF;
  }

  private int u16() {
    at += 2;
    return pickle.get(SHORT, at - 2) & 0xFFFF;
  }

  private int i32() {
    at += 4;
    return pickle.get(INT, at - 4);
  }

  private double real() {
    at += 8;
    return pickle.get(BIG_ENDIAN_DOUBLE, at - 8);
  }

  private long longOf(int bytes) {
    if (bytes > 8) throw failure("expected an integer of at most 8 bytes, found " + bytes);
    long value = 0;
    for (int i = 0; i < bytes; i++) value |= (long) u8() << 8 * i;
    int unused = 64 - 8 * bytes;
    return bytes == 0 ? 0 : value << unused >> unused;
  }

  private String text(int bytes) {
    if (bytes < 0) throw failure("expected a string of less than 2^31 bytes");
    byte[] utf8 = pickle.asSlice(at, bytes).toArray(ValueLayout.JAVA_BYTE);
    at += bytes;
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private String line() {
    StringBuilder line = new StringBuilder();
    for (int c = u8(); c != '\n'; c = u8()) {
      if (line.length() == MAX_NAME) throw failure("expected a name, found a very long one");
      line.append((char) c);
    }
    return line.toString();
  }

  CheckpointException failure(String message) {
    return new CheckpointException(
        "%s: data.pkl, offset %d: %s".formatted(source, Math.max(0, at - 1), message));
  }
}
