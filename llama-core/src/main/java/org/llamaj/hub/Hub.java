package org.llamaj.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets models from the Hugging Face Hub into the cache on this machine. Downloads go on where an
 * earlier one was interrupted, use several connections, and are checked against the Hub's hashes
 * before they count. Thread-safe.
 */
public final class Hub {
  private static final Logger LOG = LoggerFactory.getLogger(Hub.class);

  private final HubSettings settings;

  /**
   * A hub.
   *
   * @param settings where it is, for example {@link HubSettings#fromEnvironment}
   */
  public Hub(HubSettings settings) {
    this.settings = Objects.requireNonNull(settings, "settings");
  }

  /**
   * Makes sure that a model is on this machine.
   *
   * @param model which one
   * @param listener told how far the download has come
   * @return the model's file or directory in the cache, for {@link
   *     org.llamaj.checkpoint.Checkpoint#open}
   * @throws HubException if the model is not to be had; interrupting the thread does this too
   */
  public Path fetch(HubModel model, DownloadListener listener) {
    HubCache cache = new HubCache(settings.cache(), model.repository());
    if (settings.offline()) {
      return cached(model, cache)
          .orElseThrow(
              () ->
                  new HubException(
                      "%s: expected it in the cache, as HF_HUB_OFFLINE is set, found none in %s"
                          .formatted(model, settings.cache())));
    }
    try (HubClient client = new HubClient(settings)) {
      RepositoryListing listing;
      try {
        listing = client.list(model);
      } catch (UnreachableException e) {
        Path found = cached(model, cache).orElseThrow(() -> e.asHubException(model, settings));
        LOG.warn("{}: the Hub cannot be reached ({}); the cached model is used", model, e.reason());
        return found;
      }
      return fetch(model, listing, cache, client, listener);
    } catch (UnreachableException e) {
      throw e.asHubException(model, settings);
    } catch (CancellationException e) {
      throw new HubException(model + ": the download was interrupted; it can go on later", e);
    }
  }

  private Path fetch(
      HubModel model,
      RepositoryListing listing,
      HubCache cache,
      HubClient client,
      DownloadListener listener) {
    FileChoice choice = FileChoice.of(model, listing.names());
    List<RemoteFile> files = new ArrayList<>();
    choice.files().forEach(name -> files.add(listing.file(name)));
    long total = files.stream().mapToLong(RemoteFile::size).sum();
    long done = 0;
    cache.writeReference(model.revision(), listing.commit());
    for (RemoteFile file : files) {
      if (!cache.has(listing.commit(), file)) {
        long before = done;
        new Download(client, cache, model.repository(), listing.commit(), file)
            .run(bytes -> listener.onProgress(file.name(), before + bytes, total));
      }
      done += file.size();
      listener.onProgress(file.name(), done, total);
    }
    Path snapshot = cache.snapshot(listing.commit());
    return choice.main().map(snapshot::resolve).orElse(snapshot);
  }

  private static Optional<Path> cached(HubModel model, HubCache cache) {
    Optional<Path> snapshot = cache.readReference(model.revision()).map(cache::snapshot);
    if (snapshot.isEmpty() || !Files.isDirectory(snapshot.get())) return Optional.empty();
    try {
      FileChoice choice = FileChoice.of(model, HubCache.names(snapshot.get()));
      return Optional.of(choice.main().map(snapshot.get()::resolve).orElse(snapshot.get()));
    } catch (HubException | IOException e) {
      LOG.debug("not in the cache: {}", e.getMessage());
      return Optional.empty();
    }
  }
}
