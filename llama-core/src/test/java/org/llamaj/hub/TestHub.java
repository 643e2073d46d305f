package org.llamaj.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A hub on this machine, with a storage for large files on another port; both can misbehave. */
final class TestHub implements AutoCloseable {
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final int LARGE = 1000;

  private final HttpServer hub = server();
  private final HttpServer storage = server();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, byte[]> files = new TreeMap<>();

  /** What was asked for, and with which token. */
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());

  /** The revisions that were listed. */
  final List<String> revisions = Collections.synchronizedList(new ArrayList<>());

  /** Answers of the storage that break off after some bytes. */
  final AtomicInteger breaks = new AtomicInteger();

  /** Whether the storage knows ranges. */
  boolean ranges = true;

  /** Whether the storage gives a wrong total. */
  boolean liesAboutRanges;

  /** Whether the listing gives other hashes than the files have. */
  boolean wrongHashes;

  /** Added to sizes in the listing. */
  int wrongSize;

  /** The status of all answers of the hub; 0 for the right ones. */
  int status;

  /** Where the hub sends whoever asks for a large file; empty for the storage. */
  String redirect = "";

  /** Replaces the listing. */
  String listing = "";

  TestHub() {
    hub.createContext("/api/models/owner/name/revision/", this::list);
    hub.createContext("/owner/name/resolve/", this::resolve);
    storage.createContext("/", this::store);
    hub.setExecutor(threads);
    storage.setExecutor(threads);
    hub.start();
    storage.start();
  }

  private static HttpServer server() {
    try {
      return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  URI address() {
    return address(hub);
  }

  private static URI address(HttpServer server) {
    return URI.create("http://localhost:" + server.getAddress().getPort());
  }

  TestHub add(String name, byte[] content) {
    files.put(name, content);
    return this;
  }

  private void list(HttpExchange exchange) throws IOException {
    note("list", exchange);
    revisions.add(exchange.getRequestURI().getPath().replaceAll(".*/", ""));
    StringBuilder json = new StringBuilder("{\"sha\":\"%s\",\"siblings\":[".formatted(COMMIT));
    String separator = "";
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      byte[] content = file.getValue();
      long size = content.length + wrongSize;
      json.append(separator).append("{\"rfilename\":\"%s\",".formatted(file.getKey()));
      if (content.length >= LARGE) {
        json.append("\"lfs\":{\"sha256\":\"%s\",\"size\":%d},".formatted(hash(content), size));
      }
      json.append("\"size\":%d,\"blobId\":\"%s\"}".formatted(size, gitHash(content)));
      separator = ",";
    }
    json.append("]}");
    String answer = listing.isEmpty() ? json.toString() : listing;
    answer(exchange, status == 0 ? 200 : status, answer.getBytes(StandardCharsets.UTF_8));
  }

  private void resolve(HttpExchange exchange) throws IOException {
    note("resolve", exchange);
    String path = exchange.getRequestURI().getPath();
    String name = path.substring(("/owner/name/resolve/" + COMMIT + "/").length());
    byte[] content = files.get(name);
    if (content == null) {
      answer(exchange, 404, new byte[0]);
    } else if (content.length < LARGE) {
      answer(exchange, 200, content);
    } else {
      String place = redirect.isEmpty() ? address(storage) + "/" + name : redirect;
      exchange.getResponseHeaders().add("Location", place);
      answer(exchange, 302, new byte[0]);
    }
  }

  private void store(HttpExchange exchange) throws IOException {
    note("store", exchange);
    byte[] content = files.get(exchange.getRequestURI().getPath().substring(1));
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from = 0;
    int to = content.length;
    if (ranges && range != null) {
      String[] ends = range.substring("bytes=".length()).split("-");
      from = Integer.parseInt(ends[0]);
      to = Math.min(content.length, Integer.parseInt(ends[1]) + 1);
      exchange
          .getResponseHeaders()
          .add(
              "Content-Range",
              "bytes %d-%d/%d"
                  .formatted(from, to - 1, liesAboutRanges ? 7 : content.length + wrongSize));
    }
    exchange.sendResponseHeaders(ranges && range != null ? 206 : 200, to - from);
    try (OutputStream body = exchange.getResponseBody()) {
      if (breaks.getAndDecrement() > 0) {
        body.write(content, from, (to - from) / 2);
        body.flush();
        throw new IOException("as the test wants it");
      }
      body.write(content, from, to - from);
    }
  }

  private void note(String what, HttpExchange exchange) {
    String token = exchange.getRequestHeaders().getFirst("Authorization");
    requests.add("%s %s %s".formatted(what, exchange.getRequestHeaders().getFirst("Range"), token));
  }

  private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) exchange.getResponseBody().write(body);
    exchange.close();
  }

  private String hash(byte[] content) {
    return digest("SHA-256", new byte[0], wrongHashes ? new byte[1] : content);
  }

  private String gitHash(byte[] content) {
    byte[] start = "blob %d\0".formatted(content.length).getBytes(StandardCharsets.US_ASCII);
    return digest("SHA-1", start, wrongHashes ? new byte[1] : content);
  }

  private static String digest(String algorithm, byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      for (byte[] part : parts) digest.update(part);
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    hub.stop(0);
    storage.stop(0);
    threads.shutdownNow();
  }
}
