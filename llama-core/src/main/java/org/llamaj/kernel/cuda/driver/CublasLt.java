package org.llamaj.kernel.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVIDIA's library of matrix products, for those of prompts: y = x W^T with bfloat16 operands and a
 * float32 result. For one thread at a time, in which a context is current.
 */
public final class CublasLt implements AutoCloseable {
  /** Memory on the device that a product may use beside its operands. */
  public static final long WORKSPACE_BYTES = 32L << 20;

  private static final int FLOAT32 = 0; // of cudaDataType
  private static final int BFLOAT16 = 14;
  private static final int COMPUTE_FLOAT32 = 68; // of cublasComputeType_t
  private static final int TRANSPOSE = 1; // of cublasOperation_t
  private static final int TRANSPOSE_A = 3; // of cublasLtMatmulDescAttributes_t
  private static final int MAX_WORKSPACE = 1; // of cublasLtMatmulPreferenceAttributes_t
  private static final int HEURISTIC_BYTES = 96; // of cublasLtMatmulHeuristicResult_t
  private static final int WORKSPACE_OFFSET = 64; // in it, behind the algorithm

  /** Prompts end with batches of any size: more kinds of products are forgotten all at once. */
  private static final int MOST_PLANS = 256;

  private record Shape(int rows, int inputs, int outputs, int stride) {}

  /** How a product of one shape is made: the handles, and the algorithm as the library found it. */
  private record Plan(
      MemorySegment product, MemorySegment[] layouts, MemorySegment algorithm, long workspace) {}

  private final Calls calls;
  private final Arena arena = Arena.ofShared();
  private final MethodHandle matmul;
  private final MemorySegment handle;
  private final MemorySegment one = arena.allocate(Float.BYTES);
  private final MemorySegment zero = arena.allocate(Float.BYTES);
  private final Map<Shape, Plan> plans = new HashMap<>();
  private final String version;

  private CublasLt(SymbolLookup library) {
    calls = new Calls("cuBLASLt", library);
    one.set(JAVA_FLOAT, 0, 1);
    matmul =
        calls.status(
            "cublasLtMatmul",
            ADDRESS, // handle
            ADDRESS, // product
            ADDRESS, // alpha
            JAVA_LONG, // A and its layout
            ADDRESS,
            JAVA_LONG, // B
            ADDRESS,
            ADDRESS, // beta
            JAVA_LONG, // C
            ADDRESS,
            JAVA_LONG, // D
            ADDRESS,
            ADDRESS, // algorithm
            JAVA_LONG, // workspace
            JAVA_LONG,
            JAVA_LONG); // stream
    try {
      version = readVersion();
      handle = create("cublasLtCreate", new MemoryLayout[0]);
    } catch (CudaException e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Looks for the library.
   *
   * @return empty if there is none; to be closed by the caller
   * @throws CudaException if it cannot be used
   */
  public static Optional<CublasLt> open() {
    return Libraries.cublasLt().map(CublasLt::new);
  }

  private String readVersion() {
    MethodHandle getVersion = calls.number("cublasLtGetVersion");
    try {
      long number = (long) getVersion.invokeExact();
      return number / 10_000 + "." + number / 100 % 100;
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
  }

  /**
   * The library's version.
   *
   * @return for example {@code 13.1}
   */
  public String version() {
    return version;
  }

  /**
   * Puts a product into a stream: y = x W^T.
   *
   * @param stream where
   * @param w address of [outputs, inputs] in bfloat16
   * @param x address of [rows, inputs] in bfloat16
   * @param y address of [rows, stride] in float32, of which the first outputs of each row are
   *     written
   * @param rows of x
   * @param inputs of the weight
   * @param outputs of the weight
   * @param stride from one row of y to the next
   * @param workspace address of {@link #WORKSPACE_BYTES}
   * @throws CudaException if the library has no way for this shape, or fails
   */
  public void multiply(
      Stream stream,
      long w,
      long x,
      long y,
      int rows,
      int inputs,
      int outputs,
      int stride,
      long workspace) {
    Shape shape = new Shape(rows, inputs, outputs, stride);
    Plan plan = plans.get(shape);
    if (plan == null) {
      if (plans.size() == MOST_PLANS) {
        forgetPlans();
      }
      plan = plan(shape);
      plans.put(shape, plan);
    }
    int status;
    try {
      status =
          (int)
              matmul.invokeExact(
                  handle,
                  plan.product,
                  one,
                  w,
                  plan.layouts[0],
                  x,
                  plan.layouts[1],
                  zero,
                  y,
                  plan.layouts[2],
                  y,
                  plan.layouts[2],
                  plan.algorithm,
                  workspace,
                  plan.workspace,
                  stream.handle());
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cublasLtMatmul", status);
  }

  /**
   * The library counts by columns: what is [rows, columns] here is [columns, rows] there. So D =
   * A^T B with A = W, B = x, D = y.
   */
  private Plan plan(Shape s) {
    List<MemorySegment> layouts = new ArrayList<>();
    MemorySegment product =
        create(
            "cublasLtMatmulDescCreate",
            new MemoryLayout[] {JAVA_INT, JAVA_INT},
            COMPUTE_FLOAT32,
            FLOAT32);
    try (Arena local = Arena.ofConfined()) {
      set(
          "cublasLtMatmulDescSetAttribute",
          product,
          TRANSPOSE_A,
          local.allocateFrom(JAVA_INT, TRANSPOSE));
      layouts.add(layout(BFLOAT16, s.inputs, s.outputs, s.inputs));
      layouts.add(layout(BFLOAT16, s.inputs, s.rows, s.inputs));
      layouts.add(layout(FLOAT32, s.outputs, s.rows, s.stride));
      MemorySegment result = arena.allocate(HEURISTIC_BYTES, Long.BYTES);
      findAlgorithm(s, product, layouts, result, local);
      return new Plan(
          product,
          layouts.toArray(MemorySegment[]::new),
          result,
          result.get(JAVA_LONG, WORKSPACE_OFFSET));
    } catch (CudaException e) {
      layouts.forEach(layout -> destroy("cublasLtMatrixLayoutDestroy", layout));
      destroy("cublasLtMatmulDescDestroy", product);
      throw e;
    }
  }

  private void findAlgorithm(
      Shape shape,
      MemorySegment product,
      List<MemorySegment> layouts,
      MemorySegment result,
      Arena local) {
    MemorySegment preference = create("cublasLtMatmulPreferenceCreate", new MemoryLayout[0]);
    try {
      set(
          "cublasLtMatmulPreferenceSetAttribute",
          preference,
          MAX_WORKSPACE,
          local.allocateFrom(JAVA_LONG, WORKSPACE_BYTES));
      MemorySegment found = local.allocate(JAVA_INT);
      perform(
          "cublasLtMatmulAlgoGetHeuristic",
          new MemoryLayout[] {
            ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS,
            ADDRESS
          },
          handle,
          product,
          layouts.get(0),
          layouts.get(1),
          layouts.get(2),
          layouts.get(2),
          preference,
          1,
          result,
          found);
      if (found.get(JAVA_INT, 0) == 0) {
        throw new CudaException(0, "cuBLASLt %s has no algorithm for %s".formatted(version, shape));
      }
    } finally {
      destroy("cublasLtMatmulPreferenceDestroy", preference);
    }
  }

  private MemorySegment layout(int type, long rows, long columns, long stride) {
    return create(
        "cublasLtMatrixLayoutCreate",
        new MemoryLayout[] {JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG},
        type,
        rows,
        columns,
        stride);
  }

  private void set(String function, MemorySegment object, int attribute, MemorySegment value) {
    perform(
        function,
        new MemoryLayout[] {ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG},
        object,
        attribute,
        value,
        value.byteSize());
  }

  /** A call that gives a handle through its first parameter. */
  private MemorySegment create(String function, MemoryLayout[] further, Object... arguments) {
    return MemorySegment.ofAddress(
        calls.create(function, further, status -> check(function, status), arguments));
  }

  private void destroy(String function, MemorySegment object) {
    perform(function, new MemoryLayout[] {ADDRESS}, object);
  }

  private void perform(String function, MemoryLayout[] layouts, Object... arguments) {
    check(function, calls.call(function, layouts, arguments));
  }

  private void check(String function, int status) {
    if (status != 0) {
      throw new CudaException(0, "%s: %s".formatted(function, name(status)));
    }
  }

  private String name(int status) {
    try {
      MethodHandle statusName = calls.text("cublasLtGetStatusName", JAVA_INT);
      return Calls.string((MemorySegment) statusName.invokeExact(status));
    } catch (CudaException e) {
      return "status " + status; // of an old library without names
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
  }

  private void forgetPlans() {
    for (Plan plan : plans.values()) {
      for (MemorySegment layout : plan.layouts) {
        Context.quietly(() -> destroy("cublasLtMatrixLayoutDestroy", layout));
      }
      Context.quietly(() -> destroy("cublasLtMatmulDescDestroy", plan.product));
    }
    plans.clear();
  }

  /** Gives back what the library holds; before the context is closed. */
  @Override
  public void close() {
    forgetPlans();
    Context.quietly(() -> destroy("cublasLtDestroy", handle));
    arena.close();
  }
}
