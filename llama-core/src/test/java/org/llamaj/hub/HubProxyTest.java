package org.llamaj.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Downloads go through the proxy that the environment names, and only there. */
class HubProxyTest {
  private static final HubModel MODEL = HubModel.parse("hf:owner/name");

  @TempDir Path cache;

  private final TestHub server = new TestHub().add("model.gguf", new byte[5000]);
  private final TestProxy proxy = new TestProxy();

  @AfterEach
  void close() {
    proxy.close();
    server.close();
  }

  private Path fetch(URI endpoint, Map<String, String> environment) {
    HubSettings settings =
        new HubSettings(
            endpoint,
            cache,
            Optional.of("secret"),
            false,
            Duration.ofMinutes(10),
            Duration.ofMillis(1),
            ProxyVariables.of(environment));
    return new Hub(settings).fetch(MODEL, (_, _, _) -> {});
  }

  private String address(String user) {
    return "http://%slocalhost:%d".formatted(user, proxy.port());
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTP_PROXY", "http_proxy", "ALL_PROXY"})
  void everyRequestGoesThroughTheProxy(String variable) {
    Path file = fetch(server.address(), Map.of(variable, address("")));
    assertThat(file).hasBinaryContent(new byte[5000]);
    assertThat(proxy.requests).hasSize(server.requests.size()).hasSize(3);
    assertThat(proxy.requests.getFirst()).startsWith(server.address() + "/api/models/owner/name");
    // What is true without a proxy: the storage is not told the token.
    assertThat(server.requests)
        .filteredOn(request -> request.startsWith("store"))
        .allMatch(request -> request.endsWith("null"));
  }

  @Test
  void whereNoneIsWantedNoneIsUsed() {
    fetch(server.address(), Map.of("HTTP_PROXY", address(""), "NO_PROXY", "example.org,localhost"));
    assertThat(proxy.requests).isEmpty();
    assertThat(server.requests).hasSize(3);
  }

  @Test
  void namesAndPasswordsAreSentToTheProxyAlone() {
    proxy.authorization =
        "Basic " + Base64.getEncoder().encodeToString("me:p@ss".getBytes(StandardCharsets.UTF_8));
    fetch(server.address(), Map.of("HTTP_PROXY", address("me:p%40ss@")));
    assertThat(proxy.requests).isNotEmpty();
    assertThat(server.requests).hasSize(3);
  }

  @Test
  void aProxyThatRefusesIsNamed() {
    proxy.authorization = "Basic x";
    assertThatThrownBy(() -> fetch(server.address(), Map.of("HTTP_PROXY", address(""))))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("the proxy")
        .hasMessageContaining("HTTPS_PROXY")
        .hasMessageNotContaining("secret");
    assertThat(server.requests).isEmpty();
  }

  /** The proxy is asked for a tunnel, and sees neither the path nor the token. */
  @Test
  void secureConnectionsAreTunnelled() throws Exception {
    ServerSocket socket = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
    try (socket) {
      CompletableFuture<List<String>> lines = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(
              () -> {
                try (socket; // further tries fail at once
                    Socket connection = socket.accept();
                    BufferedReader in =
                        new BufferedReader(
                            new InputStreamReader(
                                connection.getInputStream(), StandardCharsets.US_ASCII))) {
                  lines.complete(in.lines().takeWhile(line -> !line.isEmpty()).toList());
                  connection
                      .getOutputStream()
                      .write("HTTP/1.1 403 Forbidden\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                } catch (Exception e) {
                  lines.completeExceptionally(e);
                }
              });
      assertThatThrownBy(
              () ->
                  fetch(
                      URI.create("https://hub.example"),
                      Map.of("https_proxy", "localhost:" + socket.getLocalPort())))
          .isInstanceOf(HubException.class);
      assertThat(lines.get()).first().isEqualTo("CONNECT hub.example:443 HTTP/1.1");
      assertThat(lines.get()).noneMatch(line -> line.contains("secret"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "https://huggingface.co/x, '', true",
    "https://huggingface.co/x, huggingface.co, false",
    "https://huggingface.co/x, .co, false",
    "https://cdn.huggingface.co/x, huggingface.co, false",
    "https://cdn.huggingface.co/x, *.huggingface.co, false",
    "https://HUGGINGFACE.co/x, HuggingFace.co, false",
    "https://nothuggingface.co/x, huggingface.co, true",
    "https://huggingface.co:8443/x, huggingface.co:8443, false",
    "https://huggingface.co:8443/x, huggingface.co:443, true",
    "https://huggingface.co/x, '10.0.0.1, *', false",
    "https://huggingface.co/x, ' , ,', true"
  })
  void exceptionsAreNamesAndTheirSubdomains(String uri, String without, boolean proxied) {
    List<Proxy> found =
        ProxyVariables.of(Map.of("HTTPS_PROXY", "http://proxy.example:3128/", "NO_PROXY", without))
            .select(URI.create(uri));
    assertThat(found).hasSize(1);
    assertThat(found.getFirst().type()).isEqualTo(proxied ? Proxy.Type.HTTP : Proxy.Type.DIRECT);
    if (proxied) {
      InetSocketAddress address = (InetSocketAddress) found.getFirst().address();
      assertThat(address.getHostString()).isEqualTo("proxy.example");
      assertThat(address.getPort()).isEqualTo(3128);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"socks5://x:1", "http://", "::", "https://proxy.example"})
  void otherProxiesAreRefused(String address) {
    assertThatThrownBy(() -> ProxyVariables.of(Map.of("HTTPS_PROXY", address)))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("HTTPS_PROXY: expected the address of an HTTP proxy");
  }

  @Test
  void passwordsAreNotShown() {
    assertThat(ProxyVariables.of(Map.of("HTTPS_PROXY", "http://me:secret@proxy.example")))
        .asString()
        .contains("proxy.example:80")
        .doesNotContain("secret");
    assertThatThrownBy(() -> ProxyVariables.of(Map.of("ALL_PROXY", "ftp://me:secret@x")))
        .hasMessageNotContaining("secret");
  }
}
