package org.llamaj.hub;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Proxies as most command line tools take them from the environment: {@code HTTPS_PROXY}, {@code
 * HTTP_PROXY}, {@code ALL_PROXY} and {@code NO_PROXY}, in capitals or not. What they do not decide,
 * Java's own settings do ({@code https.proxyHost} and so on).
 */
final class ProxyVariables extends ProxySelector {
  private final Optional<URI> secure;
  private final Optional<URI> plain;
  private final List<String> without;

  private ProxyVariables(Optional<URI> secure, Optional<URI> plain, List<String> without) {
    this.secure = secure;
    this.plain = plain;
    this.without = without;
  }

  /**
   * Reads the variables.
   *
   * @throws HubException if a variable is no address of a proxy
   */
  static ProxyVariables of(Map<String, String> environment) {
    Function<String, Optional<String>> variable =
        name ->
            Optional.ofNullable(environment.get(name.toLowerCase(Locale.ROOT)))
                .or(() -> Optional.ofNullable(environment.get(name)))
                .map(String::strip)
                .filter(value -> !value.isEmpty());
    Function<String, Optional<URI>> proxy = name -> variable.apply(name).map(v -> address(name, v));
    Optional<URI> all = proxy.apply("ALL_PROXY");
    return new ProxyVariables(
        proxy.apply("HTTPS_PROXY").or(() -> all),
        proxy.apply("HTTP_PROXY").or(() -> all),
        variable
            .apply("NO_PROXY")
            .map(hosts -> Arrays.stream(hosts.split(",")).map(ProxyVariables::host).toList())
            .orElse(List.of()));
  }

  private static String host(String entry) {
    String host = entry.strip().toLowerCase(Locale.ROOT);
    return host.startsWith("*.")
        ? host.substring(2)
        : host.startsWith(".") ? host.substring(1) : host;
  }

  private static URI address(String name, String value) {
    try {
      URI uri = URI.create(value.contains("://") ? value : "http://" + value);
      if ("http".equals(uri.getScheme()) && uri.getHost() != null) return uri;
    } catch (IllegalArgumentException e) {
      // The message below says it; the exception's would repeat a password.
    }
    throw new HubException(
        "%s: expected the address of an HTTP proxy, such as http://proxy.example:3128, found another (SOCKS is not supported)"
            .formatted(name));
  }

  @Override
  public List<Proxy> select(URI uri) {
    boolean isSecure = "https".equals(uri.getScheme());
    Optional<URI> proxy = isSecure ? secure : plain;
    if (goesWithout(uri)) return List.of(Proxy.NO_PROXY);
    if (proxy.isEmpty()) {
      ProxySelector java = ProxySelector.getDefault();
      return java == null ? List.of(Proxy.NO_PROXY) : java.select(uri);
    }
    return List.of(
        new Proxy(
            Proxy.Type.HTTP, new InetSocketAddress(proxy.get().getHost(), port(proxy.get()))));
  }

  /** A name stands for its subdomains, too. */
  private boolean goesWithout(URI uri) {
    String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
    String withPort = host + ":" + uri.getPort();
    return without.stream()
        .filter(entry -> !entry.isEmpty())
        .anyMatch(
            entry ->
                entry.equals("*")
                    || host.equals(entry)
                    || withPort.equals(entry)
                    || host.endsWith("." + entry));
  }

  private static int port(URI proxy) {
    return proxy.getPort() < 0 ? 80 : proxy.getPort();
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    // Whoever sends the request is told, too.
  }

  /** Name and password of a proxy, if its address has them. */
  Optional<Authenticator> authenticator() {
    boolean any =
        secure.map(URI::getRawUserInfo).or(() -> plain.map(URI::getRawUserInfo)).isPresent();
    if (!any) return Optional.empty();
    return Optional.of(
        new Authenticator() {
          @Override
          protected PasswordAuthentication getPasswordAuthentication() {
            return getRequestorType() == RequestorType.PROXY
                ? password(getRequestingHost(), getRequestingPort()).orElse(null)
                : null;
          }
        });
  }

  private Optional<PasswordAuthentication> password(String host, int port) {
    return secure
        .filter(proxy -> proxy.getHost().equals(host) && port(proxy) == port)
        .or(() -> plain.filter(proxy -> proxy.getHost().equals(host) && port(proxy) == port))
        .map(URI::getRawUserInfo)
        .map(info -> info.split(":", 2))
        .map(
            parts ->
                new PasswordAuthentication(
                    decoded(parts[0]),
                    parts.length == 1 ? new char[0] : decoded(parts[1]).toCharArray()));
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** {@return without passwords, which must not get into logs} */
  @Override
  public String toString() {
    return "proxies: https %s, http %s, none for %s".formatted(name(secure), name(plain), without);
  }

  private static String name(Optional<URI> proxy) {
    return proxy.map(uri -> uri.getHost() + ":" + port(uri)).orElse("as Java's");
  }
}
