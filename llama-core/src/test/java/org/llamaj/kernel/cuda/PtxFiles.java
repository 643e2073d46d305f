package org.llamaj.kernel.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Compiles the kernels ahead, for machines without NVRTC, on one with nvcc: {@code main} with the
 * folder {@code llama-core/src/main/resources/org/llamaj/kernel/cuda/ptx}.
 */
final class PtxFiles {
  /** What every driver since CUDA 11.1 reads; the instructions used need no later one. */
  private static final String VERSION = ".version 7.1";

  private PtxFiles() {}

  /** Writes the files. */
  static void main(String[] arguments) throws IOException {
    Path target = Files.createDirectories(Path.of(arguments[0]));
    Path nvcc = tool("nvcc").orElseThrow(() -> new IllegalStateException("no nvcc here"));
    Path folder = Files.createTempDirectory("ptx");
    for (KernelUnit unit : KernelUnit.all().toList()) {
      if (isCurrent(unit)) {
        continue;
      }
      Path source = Files.writeString(folder.resolve(unit.name() + ".cu"), unit.source());
      Path text = folder.resolve(unit.name() + ".ptx");
      Emulator.run(
          folder,
          nvcc.toString(),
          "-ptx",
          "-std=c++17",
          "-arch=compute_80",
          "-o",
          text.toString(),
          source.toString());
      String ptx = Files.readString(text).replaceFirst("\\.version [0-9.]+", VERSION);
      try (OutputStream out =
          new GZIPOutputStream(Files.newOutputStream(target.resolve(unit.name() + ".ptx.gz")))) {
        out.write((head(unit) + ptx).getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private static boolean isCurrent(KernelUnit unit) {
    return KernelUnit.class.getResource(unit.ptxResource()) != null
        && read(unit).startsWith(head(unit));
  }

  /** The first line, which tells the source. */
  static String head(KernelUnit unit) {
    return "// source %s\n".formatted(KernelImages.hash(unit.source()));
  }

  static String read(KernelUnit unit) {
    try (InputStream in = KernelUnit.class.getResourceAsStream(unit.ptxResource());
        InputStream text = new GZIPInputStream(in)) {
      return new String(text.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A tool of the CUDA toolkit. */
  static Optional<Path> tool(String name) {
    List<Path> folders = new ArrayList<>();
    String home = System.getenv("CUDA_HOME");
    if (home != null) {
      folders.add(Path.of(home, "bin"));
    }
    for (String folder : System.getenv("PATH").split(java.io.File.pathSeparator)) {
      folders.add(Path.of(folder));
    }
    folders.add(Path.of("/usr/local/cuda/bin"));
    return folders.stream().map(f -> f.resolve(name)).filter(Files::isExecutable).findFirst();
  }
}
