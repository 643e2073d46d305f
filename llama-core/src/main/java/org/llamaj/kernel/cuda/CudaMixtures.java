package org.llamaj.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.llamaj.kernel.ExpertRouting;
import org.llamaj.kernel.Mixture;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mixtures of experts on the device: what is chosen never leaves it, so that a step of a mixture is
 * a single graph, too.
 */
final class CudaMixtures {
  private static final Logger LOG = LoggerFactory.getLogger(CudaMixtures.class);

  private static final int THREADS = 256;
  private static final int CHOOSING_THREADS = 32;

  /** What a grid has of blocks in its second dimension. */
  private static final int MOST_CHOICES = 65535;

  /** Experts whose counts fit into shared memory. */
  private static final int MOST_EXPERTS = 4096;

  /** As many choices have a row of products each; more are grouped by expert. */
  private static final int MOST_SINGLE_CHOICES = 16;

  private static final int TILE_BYTES = 16;

  /**
   * One kind of weight of all experts.
   *
   * @param planes where those of each expert are: a table on the device
   */
  private record Bank(long planes, Products products, int inputs, int outputs) {}

  /** The weights of a mixture on the device. */
  private record OnDevice(Bank gate, Bank up, Bank down) {}

  private final Context context;
  private final Stream stream;
  private final Launches launches;
  private final Activations activations;
  private final Modules modules;
  private final DeviceWeights weights;
  private final Map<Mixture, Optional<OnDevice>> mixtures = new IdentityHashMap<>();
  private Functions functions;

  // Memory between the kernels, and where in it is what.
  private long scratch;
  private long scratchBytes;
  private long choices;
  private long choiceWeights;
  private long order;
  private long tileTable;
  private long gate;
  private long up;
  private long sum;

  private record Functions(long choose, long group, long swiGlu, long sum) {}

  CudaMixtures(
      Context context,
      Stream stream,
      Launches launches,
      Activations activations,
      Modules modules,
      DeviceWeights weights) {
    this.context = context;
    this.stream = stream;
    this.launches = launches;
    this.activations = activations;
    this.modules = modules;
    this.weights = weights;
  }

  /** As {@link org.llamaj.kernel.Kernels#mix}, with addresses of activations that are kept. */
  boolean mix(long input, long scores, int rows, Mixture mixture, long output) {
    Optional<OnDevice> there = mixtures.get(mixture);
    if (there == null) {
      there = Optional.ofNullable(prepare(mixture));
      mixtures.put(mixture, there);
    }
    long count = (long) rows * mixture.used();
    if (there.isEmpty() || count > MOST_CHOICES || !reserve((int) count, mixture)) {
      return false;
    }
    add(input, scores, rows, mixture, there.get(), output);
    return true;
  }

  private void add(
      long input, long scores, int rows, Mixture mixture, OnDevice experts, long output) {
    int used = mixture.used();
    int count = rows * used;
    int inner = experts.gate.outputs;
    int dim = experts.down.outputs;
    boolean ofInput = mixture.routing() == ExpertRouting.SIGMOID_OF_INPUT;
    launches
        .add(functions.choose, rows, 1, 1, CHOOSING_THREADS, 8 * used)
        .with(scores)
        .with(mixture.count())
        .with(used)
        .with(ofInput ? 1 : 0)
        .with(choices)
        .with(choiceWeights);
    int tiles = isGrouped(count) ? tiles(count, mixture) : 0;
    if (tiles > 0) {
      launches
          .add(functions.group, 1, 1, 1, THREADS, 8 * (mixture.count() + 1))
          .with(choices)
          .with(count)
          .with(mixture.count())
          .with(order)
          .with(tileTable)
          .with(tiles);
    }
    project(experts.gate, input, gate, used, count, tiles);
    project(experts.up, input, up, used, count, tiles);
    long hidden = (long) count * inner;
    launches
        .add(functions.swiGlu, blocks(hidden), 1, 1, THREADS, 0)
        .with(gate)
        .with(up)
        .with(ofInput ? choiceWeights : 0L)
        .with(inner)
        .with(hidden);
    project(experts.down, gate, sum, 1, count, tiles);
    long values = (long) rows * dim;
    launches
        .add(functions.sum, blocks(values), 1, 1, THREADS, 0)
        .with(sum)
        .with(ofInput ? 0L : choiceWeights)
        .with(output)
        .with(used)
        .with(dim)
        .with(values);
  }

  /**
   * A row of y for each choice.
   *
   * @param share how many choices have the same row of x
   * @param tiles of grouped choices; 0 if they are not grouped
   */
  private void project(Bank bank, long x, long y, int share, int count, int tiles) {
    if (tiles == 0 || bank.products.isExact()) {
      bank.products.projectChoices(
          launches, bank.planes, choices, x, y, share, count, bank.inputs, bank.outputs);
    } else {
      bank.products.projectTiles(
          launches, bank.planes, tileTable, order, x, y, share, tiles, bank.inputs, bank.outputs);
    }
  }

  private static boolean isGrouped(int choices) {
    return choices > MOST_SINGLE_CHOICES;
  }

  /** At most: each expert's last one may be short. */
  private static int tiles(int choices, Mixture mixture) {
    return choices / Products.EXPERT_TILE + Math.min(choices, mixture.count());
  }

  private static int blocks(long values) {
    return Math.toIntExact(Math.ceilDiv(values, (long) THREADS));
  }

  /** Null if not all of it is on the device, or in several formats. */
  private OnDevice prepare(Mixture mixture) {
    if (mixture.count() > MOST_EXPERTS) {
      return null;
    }
    Bank gate = bank(mixture.gates());
    Bank up = gate == null ? null : bank(mixture.ups());
    Bank down = up == null ? null : bank(mixture.downs());
    if (down != null && functions == null) {
      functions =
          new Functions(
              modules.function(KernelUnit.MIXTURE, "choose_experts"),
              modules.function(KernelUnit.MIXTURE, "group_choices"),
              modules.function(KernelUnit.MIXTURE, "swiglu_of_choices"),
              modules.function(KernelUnit.MIXTURE, "sum_of_choices"));
    }
    return down == null ? null : new OnDevice(gate, up, down);
  }

  private Bank bank(List<WeightMatrix> matrices) {
    Products products = null;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment table = arena.allocate(JAVA_LONG, 2L * matrices.size());
      for (int expert = 0; expert < matrices.size(); expert++) {
        CudaWeightMatrix matrix = weights.decided((CudaWeightMatrix) matrices.get(expert));
        if (!(matrix instanceof CudaWeightMatrix.OnDevice there)
            || products != null && products != there.products()) {
          return null;
        }
        products = there.products();
        table.setAtIndex(JAVA_LONG, 2L * expert, there.main());
        table.setAtIndex(JAVA_LONG, 2L * expert + 1, there.side());
      }
      long planes = context.allocate(table.byteSize());
      stream.copyToDevice(table, planes);
      WeightMatrix first = matrices.getFirst();
      return new Bank(planes, products, first.inputs(), first.outputs());
    }
  }

  /** Makes room, and says where what is. */
  private boolean reserve(int count, Mixture mixture) {
    long weightsAt = align(4L * count);
    long orderAt = weightsAt + align(4L * count);
    long tilesAt = orderAt + align(4L * count);
    long gateAt = tilesAt + align((long) TILE_BYTES * tiles(count, mixture));
    long upAt = gateAt + align(4L * count * mixture.inner());
    long sumAt = upAt + align(4L * count * mixture.inner());
    long bytes = sumAt + align(4L * count * mixture.downs().getFirst().outputs());
    if (bytes > scratchBytes && !grow(bytes, count)) {
      return false;
    }
    choices = scratch;
    choiceWeights = scratch + weightsAt;
    order = scratch + orderAt;
    tileTable = scratch + tilesAt;
    gate = scratch + gateAt;
    up = scratch + upAt;
    sum = scratch + sumAt;
    return true;
  }

  private boolean grow(long bytes, int count) {
    activations.finishAll();
    if (scratch != 0) {
      context.free(scratch);
      scratch = 0;
      scratchBytes = 0;
    }
    try {
      scratch = context.allocate(bytes);
      scratchBytes = bytes;
      return true;
    } catch (CudaException e) {
      if (!e.isOutOfMemory()) {
        throw e;
      }
      LOG.warn(
          "{}: no room for what experts make of {} tokens at once ({} MiB): they are called one by one; a smaller batch or fewer layers on the device change that",
          context.device().name(),
          count,
          bytes >> 20);
      return false;
    }
  }

  private static long align(long bytes) {
    return Math.ceilDiv(bytes, 256L) * 256;
  }
}
