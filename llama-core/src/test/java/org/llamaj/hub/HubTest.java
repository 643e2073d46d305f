package org.llamaj.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;

class HubTest {
  private static final HubModel MODEL = HubModel.parse("hf:owner/name");

  @TempDir Path cache;

  private final TestHub server = new TestHub();

  @AfterEach
  void close() {
    server.close();
  }

  private Hub hub(boolean offline) {
    return hub(server.address(), offline);
  }

  private Hub hub(URI address, boolean offline) {
    return new Hub(
        new HubSettings(
            address,
            cache,
            Optional.of("secret"),
            offline,
            Duration.ofMinutes(10),
            Duration.ofMillis(1),
            ProxySelector.of(null)));
  }

  private Path fetch(HubModel model) {
    return hub(false).fetch(model, (_, _, _) -> {});
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private void assertFails(String message) {
    assertThatThrownBy(() -> fetch(MODEL))
        .isInstanceOf(HubException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("secret");
  }

  private List<String> left() throws IOException {
    try (Stream<Path> files = Files.walk(cache)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  @Test
  void getsAFileInPartsAndKeepsIt() throws IOException {
    byte[] content = random(20_000_000); // three parts
    server.add("model.gguf", content).add("README.md", random(10));
    List<Long> progress = new ArrayList<>();
    Path file = hub(false).fetch(MODEL, (_, bytes, _) -> progress.add(bytes));
    assertThat(file).hasBinaryContent(content);
    assertThat(file.getParent().getFileName()).hasToString(TestHub.COMMIT);
    assertThat(file.resolveSibling("README.md")).hasBinaryContent(random(10));
    assertThat(cache.resolve("models--owner--name/refs/main")).hasContent(TestHub.COMMIT);
    assertThat(progress).isSorted().contains(0L).endsWith(content.length + 10L);
    assertThat(left()).noneMatch(name -> name.endsWith(".incomplete"));
    assertThat(server.requests).contains("store bytes=8388608-16777215 null");
    assertThat(server.requests)
        .filteredOn(r -> r.startsWith("list"))
        .allMatch(r -> r.endsWith("Bearer secret"));
    assertThat(server.requests)
        .filteredOn(r -> r.startsWith("store"))
        .allMatch(r -> r.endsWith("null"));

    server.requests.clear();
    assertThat(fetch(MODEL)).isEqualTo(file);
    assertThat(server.requests).hasSize(1);
    assertThat(hub(true).fetch(MODEL, (_, _, _) -> {})).isEqualTo(file);
    assertThat(server.requests).hasSize(1);
    server.status = 503;
    assertThat(fetch(MODEL)).isEqualTo(file); // the cache, when the hub is down
  }

  @Test
  void goesOnWhereItWasInterrupted() throws IOException {
    byte[] content = random(3_000_000);
    server.add("model.gguf", content);
    server.breaks.set(1000);
    assertFails("cannot be reached");
    Path incomplete;
    try (Stream<Path> files = Files.walk(cache)) {
      incomplete =
          files.filter(f -> f.toString().endsWith(".incomplete")).findFirst().orElseThrow();
    }
    Files.write(incomplete, Arrays.copyOf(content, 1_000_000));
    server.breaks.set(0);
    server.requests.clear();
    assertThat(fetch(MODEL)).hasBinaryContent(content);
    assertThat(server.requests).contains("store bytes=1000000-2999999 null");
    assertThat(server.requests).noneMatch(r -> r.contains("bytes=0-"));
  }

  @Test
  void survivesBrokenConnectionsAndServersWithoutRanges() {
    byte[] content = random(9_000_000);
    server.add("model.gguf", content);
    server.ranges = false;
    server.breaks.set(2);
    assertThat(fetch(MODEL)).hasBinaryContent(content);
  }

  @Test
  void damageIsFoundAndNotKept() throws IOException {
    server.add("model.gguf", random(5000));
    Path file = fetch(MODEL);
    Files.delete(file.toRealPath());
    Files.delete(file);
    server.wrongHashes = true;
    assertFails("expected the hash");
    assertThat(left()).noneMatch(name -> name.endsWith(".incomplete") || name.endsWith(".gguf"));
    server.wrongHashes = false;
    fetch(MODEL);
  }

  @Test
  void whatAnEarlierDownloadLeftIsCheckedToo() throws IOException {
    byte[] content = random(5000);
    server.add("model.gguf", content);
    Path file = fetch(MODEL);
    Path blob = file.toRealPath();
    Files.delete(file);
    Files.move(blob, Path.of(blob + ".incomplete"));
    Files.write(Path.of(blob + ".incomplete"), new byte[4000]);
    assertFails("the download was damaged");
    assertThat(fetch(MODEL)).hasBinaryContent(content);
  }

  @ParameterizedTest
  @ValueSource(ints = {-100, 100})
  void wrongSizesAreRefused(int wrong) {
    server.add("model.gguf", random(5000));
    server.wrongSize = wrong;
    assertThatThrownBy(() -> fetch(MODEL)).isInstanceOf(HubException.class);
    server.wrongSize = 0;
    assertThat(fetch(MODEL)).hasBinaryContent(random(5000));
  }

  @Test
  void hostileServersAreRefused() throws IOException {
    server.add("model.gguf", random(5000));
    server.liesAboutRanges = true;
    assertFails("found the range bytes 0-4999/7");
    server.redirect = server.address() + "/owner/name/resolve/" + TestHub.COMMIT + "/model.gguf";
    assertFails("endless redirects");
    server.redirect = "file:///etc/passwd";
    assertFails("which is refused");
    server.redirect = "ht tp:";
    assertFails("redirected to no address");
    for (String listing :
        List.of(
            "",
            "[]",
            "{}",
            "{\"sha\":\"../../x\",\"siblings\":[]}",
            sibling("../x.gguf", 1, "0".repeat(40)),
            sibling("/x.gguf", 1, "0".repeat(40)),
            sibling("a/../../x.gguf", 1, "0".repeat(40)),
            sibling("x.gguf", -1, "0".repeat(40)),
            sibling("x.gguf", 1, "../../../x"),
            sibling("x.gguf", 1, ""))) {
      server.listing = listing.isEmpty() ? " " : listing;
      assertFails("the Hub's answer is not understood");
    }
    server.listing = sibling("x.gguf", 1L << 49, "0".repeat(40));
    assertFails("of free space");
    assertThat(cache.getParent().resolve("x.gguf")).doesNotExist();
  }

  private static String sibling(String name, long size, String hash) {
    return "{\"sha\":\"%s\",\"siblings\":[{\"rfilename\":\"%s\",\"size\":%d,\"blobId\":\"%s\"}]}"
        .formatted(TestHub.COMMIT, name, size, hash);
  }

  @ParameterizedTest
  @CsvSource({
    "401, accept its licence at", "403, accept its licence at", "404, found none (404)",
    "500, cannot be reached", "429, cannot be reached", "418, answers 418"
  })
  void refusalsSayWhatToDo(int status, String message) {
    server.status = status;
    assertFails(message);
  }

  @Test
  void noNetworkAndNoCacheAreToldApart() throws IOException {
    try (Socket silent = new Socket()) { // keeps a port, on which nobody listens
      silent.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      Hub nowhere = hub(URI.create("http://localhost:" + silent.getLocalPort()), false);
      assertThatThrownBy(() -> nowhere.fetch(MODEL, (_, _, _) -> {}))
          .isInstanceOf(HubException.class)
          .hasMessageContaining("is there a network");
    }
    assertThatThrownBy(() -> hub(true).fetch(MODEL, (_, _, _) -> {}))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("HF_HUB_OFFLINE");
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws IOException {
    server.add("model.gguf", random(5000));
    Files.writeString(cache.resolve("models--owner--name"), "a file in the way");
    assertFails("HF_HUB_CACHE");
  }

  @Test
  void interruptionEndsTheDownload() {
    server.add("model.gguf", random(5000));
    Thread.currentThread().interrupt();
    assertFails("interrupted");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(fetch(MODEL)).hasBinaryContent(random(5000));
  }

  @Test
  void revisionsAreAskedForByName() {
    server.add("model.gguf", random(5000));
    HubModel tagged = HubModel.parse("hf:owner/name@v1.0");
    Path file = fetch(tagged);
    assertThat(server.revisions).containsExactly("v1.0");
    assertThat(cache.resolve("models--owner--name/refs/v1.0")).hasContent(TestHub.COMMIT);
    assertThat(cache.resolve("models--owner--name/refs/main")).doesNotExist();
    assertThat(hub(true).fetch(tagged, (_, _, _) -> {})).isEqualTo(file);
    HubModel commit = HubModel.parse("hf:owner/name@" + TestHub.COMMIT);
    assertThat(hub(true).fetch(commit, (_, _, _) -> {})).isEqualTo(file);
    assertThatThrownBy(() -> hub(true).fetch(MODEL, (_, _, _) -> {})) // main may be another one
        .isInstanceOf(HubException.class);
  }

  /** The quantisation that is asked for, all files of it, and opened as one model. */
  @Test
  void allFilesOfASplitModelAreFetched() throws Exception {
    Path small = Path.of(getClass().getResource("/golden/text/llama2-spm-F32/model.gguf").toURI());
    Path parts = Files.createDirectory(cache.resolve("parts"));
    int tensors;
    try (Checkpoint model = Checkpoint.open(small)) {
      tensors = model.tensors().size();
      Conversion.of(model)
          .maxFileBytes(300_000)
          .to(FileType.Q8_0)
          .write(parts.resolve("m-Q8_0.gguf"));
    }
    List<Path> written;
    try (Stream<Path> files = Files.list(parts)) {
      written = files.sorted().toList();
    }
    assertThat(written).hasSizeGreaterThan(1);
    for (Path part : written) {
      server.add("Q8_0/" + part.getFileName(), Files.readAllBytes(part));
    }
    server.add("m-Q4_0.gguf", random(5000));
    List<String> told = new ArrayList<>();
    Path first =
        hub(false).fetch(HubModel.parse("hf:owner/name:Q8_0"), (file, _, _) -> told.add(file));
    assertThat(first).hasFileName(written.getFirst().getFileName().toString());
    assertThat(told).contains("Q8_0/" + written.getLast().getFileName());
    assertThat(told).doesNotContain("m-Q4_0.gguf");
    try (Checkpoint fetched = Checkpoint.open(first)) {
      assertThat(fetched.tensors()).hasSize(tensors);
      assertThat(fetched.files()).hasSize(written.size());
    }
  }

  @Test
  void severalThreadsGetOneFileOnce() throws Exception {
    byte[] content = random(3_000_000);
    server.add("model.gguf", content);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) threads.add(Thread.ofVirtual().start(() -> fetch(MODEL)));
    for (Thread thread : threads) thread.join();
    assertThat(fetch(MODEL)).hasBinaryContent(content);
    assertThat(server.requests).filteredOn(r -> r.startsWith("store")).hasSize(1);
  }

  @Test
  void choosesFiles() {
    Set<String> ggufs =
        Set.of(
            "a-Q4_K_M.gguf",
            "a-Q8_0.gguf",
            "mmproj-F16.gguf",
            "BF16/a-BF16-00001-of-00002.gguf",
            "BF16/a-BF16-00002-of-00002.gguf",
            "a-IQ4_XS.gguf",
            "README.md");
    assertThat(chosen("hf:o/n", ggufs)).containsExactly("a-Q4_K_M.gguf", "README.md");
    assertThat(chosen("hf:o/n:q8_0", ggufs)).containsExactly("a-Q8_0.gguf", "README.md");
    assertThat(chosen("hf:o/n:BF16", ggufs)).hasSize(3).contains("BF16/a-BF16-00002-of-00002.gguf");
    assertThat(chosen("hf:o/n/a-IQ4_XS.gguf", ggufs)).contains("a-IQ4_XS.gguf");
    assertThatThrownBy(() -> chosen("hf:o/n:Q4", ggufs)).hasMessageContaining("a-Q4_K_M.gguf");
    assertThatThrownBy(() -> chosen("hf:o/n/b.gguf", ggufs)).hasMessageContaining("b.gguf");
    assertThatThrownBy(() -> chosen("hf:o/n", Set.of("a.gguf", "b.gguf")))
        .hasMessageContaining("[a.gguf, b.gguf]");
    assertThatThrownBy(() -> chosen("hf:o/n", Set.of("x.bin"))).hasMessageContaining("x.bin");
    assertThat(
            chosen(
                "hf:o/n",
                Set.of(
                    "config.json",
                    "model-00001-of-00001.safetensors",
                    "tokenizer.json",
                    "model.safetensors.index.json",
                    "original/consolidated.00.pth",
                    "x.gguf")))
        .hasSize(4);
    assertThat(
            chosen("hf:o/n", Set.of("params.json", "consolidated.00.pth", "tokenizer.model", "x")))
        .hasSize(3);
  }

  private static List<String> chosen(String model, Set<String> names) {
    return FileChoice.of(HubModel.parse(model), names).files();
  }

  @Test
  void readsNamesOfModels() {
    assertThat(HubModel.parse("hf:a/b@v1.0:Q4_0"))
        .isEqualTo(new HubModel("a/b", "v1.0", Optional.of("Q4_0"), Optional.empty()))
        .hasToString("hf:a/b@v1.0:Q4_0");
    assertThat(HubModel.parse("hf:a/b/c/d.gguf").file()).contains("c/d.gguf");
    for (String wrong :
        List.of(
            "hf:",
            "hf:a",
            "hf:a/",
            "hf:../b",
            "hf:a/b/../c",
            "hf:a/b/",
            "hf:a/b@",
            "hf:a b/c",
            "hf:a/b/c\\d",
            "hf:a/b@../x")) {
      assertThatThrownBy(() -> HubModel.parse(wrong))
          .as(wrong)
          .isInstanceOf(HubException.class)
          .hasMessageContaining("expected hf:owner/name");
    }
  }

  @Test
  void settingsComeFromTheEnvironment() throws IOException {
    HubSettings usual = HubSettings.of(Map.of(), cache);
    assertThat(usual.cache()).isEqualTo(cache.resolve(".cache/huggingface/hub"));
    assertThat(usual.endpoint()).hasToString("https://huggingface.co");
    assertThat(usual.token()).isEmpty();
    assertThat(usual.offline()).isFalse();
    Files.writeString(cache.resolve("token"), "from-file\n");
    HubSettings home = HubSettings.of(Map.of("HF_HOME", cache.toString()), cache);
    assertThat(home.cache()).isEqualTo(cache.resolve("hub"));
    assertThat(home.token()).contains("from-file");
    HubSettings all =
        HubSettings.of(
            Map.of(
                "HF_HUB_CACHE", "/c",
                "HF_TOKEN", "t",
                "HF_HUB_OFFLINE", "1",
                "HF_ENDPOINT", "https://mirror.example/hf/"),
            cache);
    assertThat(all.cache()).isEqualTo(Path.of("/c"));
    assertThat(all.token()).contains("t");
    assertThat(all.offline()).isTrue();
    assertThat(all.endpoint()).hasToString("https://mirror.example/hf");
    assertThat(all).asString().contains("with a token");
    assertThatThrownBy(() -> HubSettings.of(Map.of("HF_ENDPOINT", "localhost:1"), cache))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("HF_ENDPOINT");
  }
}
