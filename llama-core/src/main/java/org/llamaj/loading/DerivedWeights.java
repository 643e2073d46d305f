package org.llamaj.loading;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.tensor.SplitTensor;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.WeightSource;

/**
 * A checkpoint's tensors, those included that are made from what its files hold. Nothing is made of
 * matrices in several parts where these are used as they are.
 */
final class DerivedWeights implements WeightSource {
  private final WeightSource stored;
  private final Arena arena;
  private final boolean usesParts;
  private final Map<String, DerivedTensor> recipes = new HashMap<>();
  private final Map<String, Tensor> made = new HashMap<>();

  /**
   * @param checkpoint has the recipes
   * @param stored the tensors that are not to be made
   * @param arena owns what is made
   * @param usesParts whether kernels read matrices in several parts where they lie
   */
  DerivedWeights(Checkpoint checkpoint, WeightSource stored, Arena arena, boolean usesParts) {
    this.stored = stored;
    this.arena = arena;
    this.usesParts = usesParts;
    for (DerivedTensor derived : checkpoint.derived()) {
      recipes.put(derived.description().name(), derived);
    }
  }

  @Override
  public Optional<Tensor> find(String name) {
    DerivedTensor recipe = recipes.get(name);
    return recipe == null
        ? stored.find(name)
        : Optional.of(made.computeIfAbsent(name, _ -> recipe.make(arena)));
  }

  @Override
  public Optional<SplitTensor> findSplit(String name) {
    return usesParts
        ? Optional.ofNullable(recipes.get(name)).flatMap(DerivedTensor::parts)
        : Optional.empty();
  }
}
