package org.llamaj.kernel.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.llamaj.LlamaException;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Nvrtc;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Machine code of the kernels for one architecture: compiled by NVRTC and kept on disk, or, where
 * there is no NVRTC, PTX that was compiled ahead and that the driver translates.
 */
final class KernelImages {
  /** The folder where machine code is kept; {@code none} to keep none. */
  static final String CACHE_PROPERTY = "llamaj.cuda.cache";

  private static final Logger LOG = LoggerFactory.getLogger(KernelImages.class);

  private final String architecture;
  private final Optional<Nvrtc> compiler;

  KernelImages(String architecture, Optional<Nvrtc> compiler) {
    this.architecture = architecture;
    this.compiler = compiler;
  }

  /** How images are made, for {@code describe()}. */
  String description() {
    return compiler
        .map(nvrtc -> "compiled by NVRTC " + nvrtc.version())
        .orElse("PTX translated by the driver");
  }

  /**
   * Machine code, or PTX.
   *
   * @param bytes as the driver takes them
   * @param fromDisk whether it was found there, and not made just now
   */
  record Image(byte[] bytes, boolean fromDisk) {}

  /**
   * The image of a unit.
   *
   * @throws LlamaException with the compiler's log if it does not compile
   */
  Image image(KernelUnit unit) {
    Optional<Path> file = compiler.isEmpty() ? Optional.empty() : file(unit);
    if (file.isPresent() && Files.isReadable(file.get())) {
      try {
        return new Image(Files.readAllBytes(file.get()), true);
      } catch (IOException e) {
        LOG.debug("{}: {}", file.get(), e.toString());
      }
    }
    return compiled(unit);
  }

  /** The image of a unit, whatever is on disk. */
  Image compiled(KernelUnit unit) {
    if (compiler.isEmpty()) {
      return ptx(unit);
    }
    try {
      byte[] image = compiler.get().compile(unit.name() + ".cu", unit.source(), architecture);
      file(unit).ifPresent(file -> keep(image, file));
      return new Image(image, false);
    } catch (CudaException e) {
      if (!Nvrtc.isUnknownArchitecture(e)) {
        throw e;
      }
      LOG.warn(
          "NVRTC {} does not know the device ({}): kernels run from PTX, maybe slower",
          compiler.get().version(),
          architecture);
      return ptx(unit);
    }
  }

  private Optional<Path> file(KernelUnit unit) {
    String name = key(unit.source(), compiler.get()) + "-" + unit.name() + ".cubin";
    return folder().map(folder -> folder.resolve(name));
  }

  private String key(String source, Nvrtc nvrtc) {
    return hash(source + '\n' + architecture + '\n' + nvrtc.version());
  }

  static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static Optional<Path> folder() {
    String named = System.getProperty(CACHE_PROPERTY);
    if (named != null) {
      return named.equals("none") ? Optional.empty() : Optional.of(Path.of(named));
    }
    String caches = System.getenv("XDG_CACHE_HOME");
    return Optional.of(
        (caches == null || caches.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(caches))
            .resolve("llamaj")
            .resolve("cuda"));
  }

  /** Others see the whole file or none. Without a place to keep it, it is compiled again. */
  private static void keep(byte[] image, Path file) {
    try {
      Files.createDirectories(file.getParent());
      Path part = Files.createTempFile(file.getParent(), "part", ".tmp");
      try {
        Files.write(part, image);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException | UncheckedIOException e) {
      LOG.debug("kernels are not kept in {}: {}", file, e.toString());
    }
  }

  /** For a driver that translates it. */
  private static Image ptx(KernelUnit unit) {
    String resource = unit.ptxResource();
    try (InputStream in = KernelImages.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new LlamaException(
            "no NVRTC was found, and llama-core has no compiled kernels %s: install NVRTC (part of every CUDA toolkit, or 'pip install nvidia-cuda-nvrtc') or set CUDA_HOME"
                .formatted(resource));
      }
      try (GZIPInputStream text = new GZIPInputStream(in)) {
        return new Image(text.readAllBytes(), false);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
