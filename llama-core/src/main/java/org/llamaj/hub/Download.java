package org.llamaj.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.HexFormat;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;

/**
 * Gets one file. Several parts come at the same time and are written one after the other, so that
 * what is there is always a beginning of the file, and can go on after any interruption.
 */
final class Download {
  private static final int PART = 8 << 20;
  private static final int PARALLEL = 4;

  private final HubClient client;
  private final HubCache cache;
  private final String repository;
  private final String commit;
  private final RemoteFile file;
  private final MessageDigest digest;

  private volatile boolean stopped;
  private volatile long lastRead = System.nanoTime();

  Download(HubClient client, HubCache cache, String repository, String commit, RemoteFile file) {
    this.client = client;
    this.cache = cache;
    this.repository = repository;
    this.commit = commit;
    this.file = file;
    try {
      digest = MessageDigest.getInstance(file.isSha256() ? "SHA-256" : "SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // Every JDK has both.
    }
    if (!file.isSha256()) { // as git hashes a file
      digest.update("blob %d\0".formatted(file.size()).getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** Gets it, unless it is there already, and links it into the snapshot. */
  void run(LongConsumer progress) {
    try {
      Files.createDirectories(cache.blob(file).getParent());
      Files.createDirectories(cache.lock(file).getParent());
      try (FileChannel lockFile =
              FileChannel.open(
                  cache.lock(file), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = lock(lockFile)) {
        assert lock.isValid();
        if (!Files.exists(cache.blob(file))) get(progress);
        cache.link(commit, file);
      }
    } catch (IOException e) {
      throw diskFailure(e);
    }
  }

  /** Waits for another program, or another thread, that gets the same file. */
  private static FileLock lock(FileChannel channel) throws IOException {
    while (true) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) return lock;
      } catch (OverlappingFileLockException e) {
        // A thread of this program has it.
      }
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancellationException("interrupted");
      }
    }
  }

  private void get(LongConsumer progress) throws IOException {
    Path incomplete = cache.incomplete(file);
    try (FileChannel out =
        FileChannel.open(
            incomplete,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      if (out.size() > file.size()) out.truncate(0);
      requireRoom(incomplete, file.size() - out.size());
      hash(out);
      progress.accept(out.size());
      append(out, progress);
      out.force(true);
    }
    String found = HexFormat.of().formatHex(digest.digest());
    if (!found.equals(file.hash())) {
      Files.delete(incomplete);
      throw new HubException(
          "%s: %s: expected the hash %s, found %s; the download was damaged and is deleted, try again"
              .formatted(repository, file.name(), file.hash(), found));
    }
    try {
      Files.move(incomplete, cache.blob(file), StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(incomplete, cache.blob(file));
    }
  }

  private void requireRoom(Path incomplete, long bytes) throws IOException {
    long room = Files.getFileStore(incomplete).getUsableSpace();
    if (bytes > room) {
      throw new HubException(
          "%s: %s: expected %d MiB of free space in %s, found %d MiB; HF_HUB_CACHE names another place"
              .formatted(
                  repository, file.name(), (bytes >> 20) + 1, incomplete.getParent(), room >> 20));
    }
  }

  /** Hashes what an earlier download left; afterwards writing goes on behind it. */
  private void hash(FileChannel out) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
    while (out.read(buffer) > 0) {
      digest.update(buffer.flip());
      buffer.clear();
    }
  }

  private void append(FileChannel out, LongConsumer progress) throws IOException {
    Queue<Future<byte[]>> parts = new ArrayDeque<>();
    long next = out.size();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        for (long done = next; done < file.size(); ) {
          while (next < file.size() && parts.size() < PARALLEL) {
            long from = next;
            long to = Math.min(file.size(), from + PART);
            parts.add(threads.submit(() -> part(from, to)));
            next = to;
          }
          byte[] bytes = take(parts.remove());
          digest.update(bytes);
          for (ByteBuffer buffer = ByteBuffer.wrap(bytes); buffer.hasRemaining(); ) {
            out.write(buffer);
          }
          done += bytes.length;
          progress.accept(done);
        }
      } finally {
        stopped = true;
        threads.shutdownNow();
      }
    }
  }

  /** Waits for a part as long as anything comes at all. */
  private byte[] take(Future<byte[]> part) {
    try {
      while (true) {
        try {
          return part.get(200, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          if (System.nanoTime() - lastRead > client.patience().toNanos()) {
            throw new UnreachableException(new IOException("nothing has come for a while"));
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) throw failure;
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Gets a part; where a connection breaks, goes on behind what has come. */
  private byte[] part(long from, long to) {
    byte[] bytes = new byte[(int) (to - from)];
    int[] read = {0};
    return client.retrying(
        () -> {
          if (stopped) throw new CancellationException("no longer needed");
          HttpResponse<InputStream> response =
              client.get(repository, commit, file, from + read[0], to);
          try (InputStream body = response.body()) {
            skipTo(from + read[0], response, body);
            while (read[0] < bytes.length) {
              int count = body.read(bytes, read[0], bytes.length - read[0]);
              if (count < 0) throw new IOException("the connection ended early");
              read[0] += count;
              lastRead = System.nanoTime();
            }
          }
          return bytes;
        });
  }

  /** A server may answer with the whole file instead of a part of it. */
  private void skipTo(long from, HttpResponse<?> response, InputStream body) throws IOException {
    if (response.statusCode() == 200) {
      body.skipNBytes(from);
      return;
    }
    String range = response.headers().firstValue("Content-Range").orElse("none");
    if (!range.startsWith("bytes %d-".formatted(from))
        || !range.endsWith("/" + file.size()) && !range.endsWith("/*")) {
      throw new HubException(
          "%s: %s: expected bytes from %d on of %d, found the range %s"
              .formatted(repository, file.name(), from, file.size(), range));
    }
  }

  private HubException diskFailure(IOException cause) {
    return new HubException(
        "%s: %s: cannot be written to %s: %s; is the disk full? HF_HUB_CACHE names another place"
            .formatted(repository, file.name(), cache.blob(file).getParent(), cause.getMessage()),
        cause);
  }
}
