package org.llamaj.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;

/**
 * Requests to the Hub. Redirects are followed here, so that the token goes to the Hub alone and not
 * to the storage it points to.
 */
final class HubClient implements AutoCloseable {
  private static final int MAX_REDIRECTS = 8;
  private static final int MAX_LISTING = 64 << 20;
  private static final int TRIES = 5;

  private final HubSettings settings;
  private final HttpClient http;

  HubClient(HubSettings settings) {
    this.settings = settings;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .connectTimeout(settings.timeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .proxy(settings.proxies());
    if (settings.proxies() instanceof ProxyVariables variables) {
      variables.authenticator().ifPresent(builder::authenticator);
    }
    http = builder.build();
  }

  /** How long to wait for more of an answer: longer than all tries to begin one. */
  Duration patience() {
    return settings.timeout().multipliedBy(TRIES + 1);
  }

  /** Lists the files of a model's repository. */
  RepositoryListing list(HubModel model) {
    URI uri =
        settings
            .endpoint()
            .resolve(
                settings.endpoint().getRawPath()
                    + "/api/models/%s/revision/%s?blobs=true"
                        .formatted(model.repository(), encode(model.revision())));
    byte[] answer =
        retrying(
            () -> {
              HttpResponse<InputStream> response = get(uri, Optional.empty());
              try (InputStream body = response.body()) {
                requireSuccess(response, model.repository(), "revision " + model.revision());
                byte[] json = body.readNBytes(MAX_LISTING + 1);
                if (json.length > MAX_LISTING) throw new HubException(model + ": endless answer");
                return json;
              }
            });
    return RepositoryListing.parse(model, answer);
  }

  /** Asks for a file from an offset on, up to another, exclusive. */
  HttpResponse<InputStream> get(
      String repository, String commit, RemoteFile file, long from, long to) throws IOException {
    String path =
        Arrays.stream(file.name().split("/"))
            .map(HubClient::encode)
            .collect(Collectors.joining("/"));
    URI uri =
        settings
            .endpoint()
            .resolve(
                settings.endpoint().getRawPath()
                    + "/%s/resolve/%s/%s".formatted(repository, commit, path));
    HttpResponse<InputStream> response =
        get(uri, Optional.of("bytes=%d-%d".formatted(from, to - 1)));
    try {
      requireSuccess(response, repository, "file " + file.name());
      return response;
    } catch (IOException | RuntimeException e) {
      response.body().close();
      throw e;
    }
  }

  private HttpResponse<InputStream> get(URI first, Optional<String> range) throws IOException {
    URI uri = first;
    for (int i = 0; i < MAX_REDIRECTS; i++) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(uri)
              .timeout(settings.timeout())
              .header("User-Agent", "llamaj")
              .header("Accept-Encoding", "identity");
      range.ifPresent(value -> request.header("Range", value));
      if (isHub(uri)) {
        settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
      }
      HttpResponse<InputStream> response = send(request.build());
      if (response.statusCode() / 100 != 3 || response.statusCode() == 304) return response;
      response.body().close();
      uri = target(uri, response);
    }
    throw new HubException("%s: expected a file, found endless redirects".formatted(first));
  }

  private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
    try {
      return http.send(request, BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
  }

  private static URI target(URI from, HttpResponse<?> response) {
    String location = response.headers().firstValue("Location").orElse("");
    URI target;
    try {
      target = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw new HubException("%s: redirected to no address: %s".formatted(from, location), e);
    }
    boolean secure = "https".equals(target.getScheme());
    boolean asSecure =
        secure || "http".equals(target.getScheme()) && !"https".equals(from.getScheme());
    if (location.isEmpty() || !asSecure) {
      throw new HubException("%s: redirected to %s, which is refused".formatted(from, target));
    }
    return target;
  }

  private boolean isHub(URI uri) {
    URI hub = settings.endpoint();
    return hub.getScheme().equals(uri.getScheme())
        && hub.getHost().equals(uri.getHost())
        && hub.getPort() == uri.getPort();
  }

  private void requireSuccess(HttpResponse<?> response, String repository, String what)
      throws IOException {
    int status = response.statusCode();
    if (status / 100 == 2) return;
    String code = response.headers().firstValue("X-Error-Code").orElse("");
    String place = settings.endpoint() + "/" + repository;
    if (status == 404 || code.equals("RepoNotFound")) {
      throw new HubException(
          "%s: expected the %s on the Hub, found none (%d); if it is private, set HF_TOKEN"
              .formatted(repository, what, status));
    }
    if (status == 401 || status == 403) {
      throw new HubException(
          "%s: access refused (%d): if the model is gated, as Meta's are, accept its licence at %s, then set HF_TOKEN to a token of yours from %s/settings/tokens%s"
              .formatted(
                  repository,
                  status,
                  place,
                  settings.endpoint(),
                  settings.token().isPresent() ? " (a token was sent)" : ""));
    }
    if (status == 407) throw proxyRefuses();
    // Too many requests, or trouble over there: worth another try.
    if (status == 429 || status / 100 == 5) throw new IOException("status " + status);
    throw new HubException("%s: the Hub answers %d for the %s".formatted(place, status, what));
  }

  private static HubException proxyRefuses() {
    return new HubException(
        "the proxy wants a name and a password (407): put them into HTTPS_PROXY, http://name:password@host:port (for https, Java also wants -Djdk.http.auth.tunneling.disabledSchemes=)");
  }

  /** What may fail because of the network. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException;
  }

  /** Tries until it works, or has failed several times. */
  <T> T retrying(Attempt<T> attempt) {
    for (int i = 1; ; i++) {
      try {
        return attempt.run();
      } catch (IOException e) {
        if (i == TRIES) throw new UnreachableException(e);
        try {
          Thread.sleep(settings.retryPause().multipliedBy(1L << (i - 1)));
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw new CancellationException("interrupted");
        }
      }
    }
  }

  private static String encode(String part) {
    return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
  }

  @Override
  public void close() {
    http.shutdownNow();
    http.close();
  }
}
