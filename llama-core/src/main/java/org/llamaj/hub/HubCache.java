package org.llamaj.hub;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** One repository in the cache. */
final class HubCache {
  private final Path root;
  private final Path locks;

  HubCache(Path cache, String repository) {
    String name = "models--" + repository.replace("/", "--");
    root = cache.resolve(name);
    locks = cache.resolve(".locks").resolve(name);
  }

  Path snapshot(String commit) {
    return root.resolve("snapshots").resolve(commit);
  }

  /** Where a file's content is, once it is whole. */
  Path blob(RemoteFile file) {
    return root.resolve("blobs").resolve(file.hash());
  }

  /** Where what has come of a file is. */
  Path incomplete(RemoteFile file) {
    return root.resolve("blobs").resolve(file.hash() + ".incomplete");
  }

  Path lock(RemoteFile file) {
    return locks.resolve(file.hash() + ".lock");
  }

  /** Whether a file is there, whole. */
  boolean has(String commit, RemoteFile file) {
    try {
      return Files.size(snapshot(commit).resolve(file.name())) == file.size();
    } catch (IOException e) {
      return false;
    }
  }

  /** What a branch was when it was last looked at; a commit is itself. */
  Optional<String> readReference(String revision) {
    if (revision.matches("[0-9a-f]{40}")) return Optional.of(revision);
    try {
      String commit = Files.readString(root.resolve("refs").resolve(revision)).strip();
      return Optional.of(commit).filter(hash -> hash.matches("[0-9a-f]{40}"));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  void writeReference(String revision, String commit) {
    if (revision.equals(commit)) return;
    try {
      Path file = Files.createDirectories(root.resolve("refs")).resolve(revision);
      Path fresh = Files.createTempFile(file.getParent(), "ref", ".tmp");
      Files.writeString(fresh, commit);
      Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw failure("cannot be written", e);
    }
  }

  /** Gives a whole file its name; where there are no links, moves it there. */
  void link(String commit, RemoteFile file) {
    Path named = snapshot(commit).resolve(file.name());
    Path blob = blob(file);
    try {
      Files.createDirectories(named.getParent());
      Files.deleteIfExists(named);
      try {
        Files.createSymbolicLink(named, named.getParent().relativize(blob));
      } catch (FileAlreadyExistsException e) {
        return; // Another program was as fast.
      } catch (UnsupportedOperationException | IOException e) {
        Files.move(blob, named, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw failure("cannot be written", e);
    }
  }

  /** The names of all files of a snapshot. */
  static List<String> names(Path snapshot) throws IOException {
    try (Stream<Path> files = Files.walk(snapshot, 8)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> snapshot.relativize(file).toString().replace('\\', '/'))
          .toList();
    }
  }

  HubException failure(String what, IOException cause) {
    return new HubException(
        "%s: the cache %s: %s; HF_HUB_CACHE names another place".formatted(root, what, cause),
        cause);
  }
}
