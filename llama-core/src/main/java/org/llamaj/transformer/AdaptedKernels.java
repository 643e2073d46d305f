package org.llamaj.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.llamaj.LlamaException;
import org.llamaj.kernel.DecoratedKernels;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Mixture;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.SplitKernels;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.SplitTensor;
import org.llamaj.tensor.Tensor;

/**
 * Kernels whose projections have what adapters add, each to the rows of the sequences that use it:
 * y = W x + s B (A x). The layers above know nothing of it. Without adapters in the batch, nothing
 * is added to the work.
 */
final class AdaptedKernels implements DecoratedKernels {
  private final SplitKernels plain;
  private final Arena arena;
  private final Map<String, WeightMatrix> weights = new HashMap<>();

  /** Neighbouring rows of the current batch that use the same adapters. */
  private record Group(int firstRow, int rows, List<AdapterUse> uses) {}

  private static final Group[] NONE = {};

  private Group[] groups = NONE;
  private MemorySegment low = MemorySegment.NULL; // A x
  private MemorySegment delta = MemorySegment.NULL; // B (A x)

  AdaptedKernels(SplitKernels plain, Arena arena) {
    this.plain = plain;
    this.arena = arena;
  }

  @Override
  public Kernels plain() {
    return plain;
  }

  /** Takes over which rows belong to whom. */
  void begin(Batch batch) {
    groups = batch.isAdapted() ? groups(batch::sequence, batch.size()) : NONE;
  }

  /** The same for the rows that are needed to the end. */
  void beginWanted(Batch batch) {
    WantedRows wanted = batch.wanted();
    groups =
        batch.isAdapted()
            ? groups(place -> batch.sequence(wanted.row(place)), wanted.count())
            : NONE;
  }

  /** The same for some of the rows whose logits are wanted. */
  void beginLogits(Batch batch, int first, int count) {
    groups =
        batch.isAdapted() ? groups(i -> batch.sequence(batch.logitsRow(first + i)), count) : NONE;
  }

  void end() {
    groups = NONE;
  }

  private static Group[] groups(IntFunction<Sequence> sequences, int count) {
    List<Group> groups = new ArrayList<>();
    for (int first = 0; first < count; ) {
      List<AdapterUse> uses = sequences.apply(first).adapters();
      int end = first + 1;
      while (end < count && sequences.apply(end).adapters().equals(uses)) {
        end++;
      }
      if (!uses.isEmpty()) {
        uses.forEach(AdaptedKernels::requireOpen);
        groups.add(new Group(first, end - first, uses));
      }
      first = end;
    }
    return groups.toArray(Group[]::new);
  }

  private static void requireOpen(AdapterUse use) {
    if (use.adapter().isClosed()) {
      throw new LlamaException(
          "the adapter %s is closed: keep it open while sequences use it"
              .formatted(use.adapter().name()));
    }
  }

  /**
   * Prepares an update of one of the model's projections.
   *
   * @param weight the name of the projection's weight
   * @throws LlamaException if the model has no such projection or it has another shape
   */
  LowRankAdapter.Update update(String weight, LowRankPair pair) {
    WeightMatrix base = weights.get(weight);
    if (base == null || weight.equals("token_embd.weight")) {
      throw new LlamaException(
          "%s: expected the weight of a projection of the model, found none of that name"
              .formatted(weight));
    }
    Tensor down = pair.down();
    Tensor up = pair.up();
    boolean fits =
        down.columns() == base.inputs()
            && up.rows() == base.outputs()
            && up.columns() == down.rows();
    if (!fits) {
      throw new LlamaException(
          "%s: expected A of [rank, %d] and B of [%d, rank] for this model, found %s and %s; the adapter is for another one"
              .formatted(weight, base.inputs(), base.outputs(), down.shape(), up.shape()));
    }
    return new LowRankAdapter.Update(
        plain.weightMatrix(down), plain.weightMatrix(up), pair.scaling());
  }

  @Override
  public WeightMatrix weightMatrix(Tensor tensor) {
    WeightMatrix matrix = plain.weightMatrix(tensor);
    weights.put(tensor.name(), matrix);
    return matrix;
  }

  /** The same for a weight in several parts. */
  WeightMatrix weightMatrix(SplitTensor tensor) {
    WeightMatrix matrix = plain.weightMatrix(tensor);
    weights.put(tensor.name(), matrix);
    return matrix;
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    plain.project(input, rows, projections);
    for (Group group : groups) {
      for (AdapterUse use : group.uses) {
        for (Projection projection : projections) {
          Optional<LowRankAdapter.Update> update = use.adapter().update(projection.weight().name());
          if (update.isPresent() && use.scale() != 0) {
            add(update.get(), use.scale(), group, input, projection.output());
          }
        }
      }
    }
  }

  /** Adapted experts are called one by one. */
  @Override
  public boolean mix(
      FloatMatrix input, FloatMatrix scores, int rows, Mixture mixture, FloatMatrix output) {
    return !isAdapted(mixture) && plain.mix(input, scores, rows, mixture, output);
  }

  private boolean isAdapted(Mixture mixture) {
    for (Group group : groups) {
      for (AdapterUse use : group.uses) {
        boolean adapted =
            Stream.of(mixture.gates(), mixture.ups(), mixture.downs())
                .flatMap(List::stream)
                .anyMatch(weight -> use.adapter().update(weight.name()).isPresent());
        if (adapted) {
          return true;
        }
      }
    }
    return false;
  }

  private void add(
      LowRankAdapter.Update update,
      float scale,
      Group group,
      FloatMatrix input,
      FloatMatrix output) {
    FloatMatrix x = input.rows(group.firstRow, group.rows);
    FloatMatrix y = output.rows(group.firstRow, group.rows);
    low = atLeast(low, group.rows, update.down().outputs());
    delta = atLeast(delta, group.rows, update.up().outputs());
    FloatMatrix ax = matrix(low, group.rows, update.down().outputs());
    FloatMatrix bax = matrix(delta, group.rows, update.up().outputs());
    plain.project(x, group.rows, new Projection(update.down(), ax));
    plain.scale(ax, group.rows, scale * update.scaling());
    plain.project(ax, group.rows, new Projection(update.up(), bax));
    plain.add(y, bax, group.rows);
  }

  private MemorySegment atLeast(MemorySegment memory, int rows, int columns) {
    long bytes = (long) Float.BYTES * rows * columns;
    return memory.byteSize() >= bytes
        ? memory
        : arena.allocate(Math.max(bytes, 2 * memory.byteSize()), 64);
  }

  private static FloatMatrix matrix(MemorySegment memory, int rows, int columns) {
    return new FloatMatrix(memory.asSlice(0, (long) Float.BYTES * rows * columns), rows, columns);
  }
}
