package org.llamaj.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A forward proxy on this machine: passes requests on, and notes whereto. */
final class TestProxy implements AutoCloseable {
  /** Headers that belong to a connection, or that the client makes itself. */
  private static final Set<String> OWN =
      Set.of("connection", "host", "content-length", "upgrade", "http2-settings", "date");

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client =
      HttpClient.newBuilder()
          .proxy(HttpClient.Builder.NO_PROXY)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();

  /** The addresses that were asked for. */
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());

  /** What clients have to send as Proxy-Authorization; empty for nothing. */
  String authorization = "";

  TestProxy() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    server.createContext("/", this::pass);
    server.setExecutor(threads);
    server.start();
  }

  int port() {
    return server.getAddress().getPort();
  }

  private void pass(HttpExchange exchange) throws IOException {
    requests.add(exchange.getRequestURI().toString());
    String found = exchange.getRequestHeaders().getFirst("Proxy-Authorization");
    if (!authorization.isEmpty() && !authorization.equals(found)) {
      exchange.getResponseHeaders().add("Proxy-Authenticate", "Basic realm=\"test\"");
      exchange.sendResponseHeaders(407, -1);
      exchange.close();
      return;
    }
    HttpRequest.Builder request = HttpRequest.newBuilder(exchange.getRequestURI());
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (!OWN.contains(name.toLowerCase(Locale.ROOT)) && !name.startsWith("Proxy-")) {
                request.header(name, values.getFirst());
              }
            });
    try {
      HttpResponse<byte[]> answer =
          client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
      answer
          .headers()
          .map()
          .forEach(
              (name, values) -> {
                if (!OWN.contains(name)) exchange.getResponseHeaders().add(name, values.getFirst());
              });
      byte[] body = answer.body();
      exchange.sendResponseHeaders(answer.statusCode(), body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      exchange.close();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    client.close();
  }
}
