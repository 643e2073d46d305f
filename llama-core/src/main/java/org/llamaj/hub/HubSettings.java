package org.llamaj.hub;

import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where the Hub and its cache are, as the Hub's own tools take it from the environment.
 *
 * @param endpoint {@code HF_ENDPOINT}, or https://huggingface.co
 * @param cache {@code HF_HUB_CACHE}, or {@code hub} in {@code HF_HOME}, which is {@code
 *     ~/.cache/huggingface} unless set
 * @param token {@code HF_TOKEN}, or what is in the file {@code HF_TOKEN_PATH} or {@code token} in
 *     {@code HF_HOME}
 * @param offline {@code HF_HUB_OFFLINE}: only what is in the cache is used
 * @param timeout for a connection, and for each answer to begin
 * @param retryPause before a broken connection is tried again; doubles each time
 * @param proxies {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY} and {@code NO_PROXY},
 *     in capitals or not; where these say nothing, Java's own settings
 */
public record HubSettings(
    URI endpoint,
    Path cache,
    Optional<String> token,
    boolean offline,
    Duration timeout,
    Duration retryPause,
    ProxySelector proxies) {

  /**
   * The settings of this process.
   *
   * @return read from the environment
   */
  public static HubSettings fromEnvironment() {
    return of(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  static HubSettings of(Map<String, String> environment, Path userHome) {
    Path home =
        set(environment, "HF_HOME")
            .map(Path::of)
            .orElseGet(
                () ->
                    set(environment, "XDG_CACHE_HOME")
                        .map(Path::of)
                        .orElse(userHome.resolve(".cache"))
                        .resolve("huggingface"));
    String endpoint = set(environment, "HF_ENDPOINT").orElse("https://huggingface.co");
    Path tokenFile = set(environment, "HF_TOKEN_PATH").map(Path::of).orElse(home.resolve("token"));
    try {
      return new HubSettings(
          address(endpoint.replaceAll("/+$", "")),
          set(environment, "HF_HUB_CACHE").map(Path::of).orElse(home.resolve("hub")),
          set(environment, "HF_TOKEN").or(() -> read(tokenFile)),
          set(environment, "HF_HUB_OFFLINE").map(HubSettings::isTrue).orElse(false),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1),
          ProxyVariables.of(environment));
    } catch (IllegalArgumentException e) {
      throw new HubException("HF_ENDPOINT: expected an address, found " + endpoint, e);
    }
  }

  private static URI address(String endpoint) {
    URI uri = URI.create(endpoint);
    if (uri.getHost() == null || !Set.of("http", "https").contains(uri.getScheme())) {
      throw new IllegalArgumentException("no web address");
    }
    return uri;
  }

  private static Optional<String> set(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name)).map(String::strip).filter(s -> !s.isEmpty());
  }

  private static boolean isTrue(String value) {
    return Set.of("1", "true", "yes", "on").contains(value.toLowerCase(Locale.ROOT));
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(Files.readString(file).strip()).filter(token -> !token.isEmpty());
    } catch (IOException e) {
      return Optional.empty(); // Most people have none.
    }
  }

  /** {@return without the token, which must not get into logs} */
  @Override
  public String toString() {
    return "%s, cache %s%s%s"
        .formatted(
            endpoint, cache, token.isPresent() ? ", with a token" : "", offline ? ", offline" : "");
  }
}
