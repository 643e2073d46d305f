package org.llamaj.loading;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.llamaj.Backend;
import org.llamaj.Residency;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.kernel.CacheType;
import org.llamaj.spi.ProjectionListener;

/**
 * How to load a model.
 *
 * @param contextLength tokens a sequence may hold; empty for what the model was trained for
 * @param threads computing threads; empty for one per physical core
 * @param kernels name of the kernel provider; empty for the best usable one
 * @param backend what to compute on, where no kernels are named
 * @param cacheType how keys and values are stored
 * @param cacheDirectory where a file holds keys and values; empty to keep them in memory
 * @param residency where the weights live
 * @param weights the mixture that the weights are quantised to at load; empty to leave them
 * @param pinnedExpertBytes how much of the most used experts is locked in memory
 * @param mediaEncoder opens the file with the encoder of pictures, if there is one
 * @param batchSize the most tokens of a forward pass: prompts are read in chunks of it
 * @param prefixCache bytes of keys and values that are kept to be found again
 * @param projections sees what is multiplied with the weights
 */
public record LoadingOptions(
    OptionalInt contextLength,
    OptionalInt threads,
    Optional<String> kernels,
    Backend backend,
    CacheType cacheType,
    Optional<Path> cacheDirectory,
    Residency residency,
    Optional<FileType> weights,
    long pinnedExpertBytes,
    Optional<Supplier<Checkpoint>> mediaEncoder,
    int batchSize,
    long prefixCache,
    Optional<ProjectionListener> projections) {}
