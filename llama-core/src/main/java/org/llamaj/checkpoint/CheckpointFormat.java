package org.llamaj.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.checkpoint.huggingface.HuggingFaceReader;
import org.llamaj.checkpoint.meta.MetaReader;
import org.llamaj.checkpoint.safetensors.SafetensorsReader;

/** The formats of model files, told apart by what is in them. */
enum CheckpointFormat {
  /** A GGUF file, or a directory with nothing but GGUF. */
  GGUF {
    @Override
    Checkpoint open(Path path) {
      return GgufReader.open(Files.isDirectory(path) ? onlyGguf(path) : path);
    }
  },
  /** A directory as on Hugging Face, or a file of the model in it. */
  HUGGING_FACE {
    @Override
    Checkpoint open(Path path) {
      return HuggingFaceReader.open(Files.isDirectory(path) ? path : parent(path));
    }
  },
  /** A directory of Meta's, or one of the files in it. */
  META {
    @Override
    Checkpoint open(Path path) {
      return MetaReader.open(Files.isDirectory(path) ? path : parent(path));
    }
  },
  /** A safetensors file or an index of several, without anything that describes a model. */
  SAFETENSORS {
    @Override
    Checkpoint open(Path path) {
      return SafetensorsReader.open(path);
    }
  };

  private static final int START_BYTES = 16;

  /** Opens what {@link #of} said is of this format. */
  abstract Checkpoint open(Path path);

  static CheckpointFormat of(Path path) {
    return Files.isDirectory(path) ? ofDirectory(path) : ofFile(path);
  }

  private static CheckpointFormat ofDirectory(Path directory) {
    if (HuggingFaceReader.isIn(directory)) return HUGGING_FACE;
    if (MetaReader.isIn(directory)) return META;
    if (SafetensorsReader.isIn(directory)) return SAFETENSORS;
    if (!ggufFiles(directory).isEmpty()) return GGUF;
    throw new CheckpointException(
        "%s: expected a model: a GGUF file, safetensors files with their config.json, or consolidated.00.pth with its params.json; found none of them"
            .formatted(directory.toAbsolutePath()));
  }

  /** What is no other format is left to the reader of GGUF, to tell what is wrong with it. */
  private static CheckpointFormat ofFile(Path file) {
    Storage.requireNoPipe(file);
    boolean safetensors = name(file).endsWith(".json");
    if (!safetensors) {
      MemorySegment start = start(file);
      if (startsWith(start, "PK\3\4") && MetaReader.isIn(parent(file))) return META;
      safetensors = !startsWith(start, "GGUF") && SafetensorsReader.looksLike(start, size(file));
    }
    if (!safetensors) return GGUF;
    return isOfModel(file) ? HUGGING_FACE : SAFETENSORS;
  }

  /** Adapters and the like have names of their own. */
  private static boolean isOfModel(Path file) {
    return name(file).matches("config\\.json|model(-\\d+-of-\\d+)?\\.safetensors(\\.index\\.json)?")
        && HuggingFaceReader.isIn(parent(file));
  }

  private static Path parent(Path file) {
    return file.toAbsolutePath().getParent();
  }

  private static Path onlyGguf(Path directory) {
    List<Path> files = ggufFiles(directory);
    List<Path> firsts =
        files.stream()
            .filter(file -> !name(file).matches(".*-(?!00001)\\d{5}-of-\\d{5}\\.gguf"))
            .toList();
    if (firsts.size() != 1) {
      throw new CheckpointException(
          "%s: expected one GGUF model, found %s; name one of them"
              .formatted(directory, firsts.stream().map(CheckpointFormat::name).limit(8).toList()));
    }
    return firsts.getFirst();
  }

  private static List<Path> ggufFiles(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> name(file).endsWith(".gguf")).sorted().toList();
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(directory, e), e);
    }
  }

  /** Empty if the file cannot be read; whoever opens it will say why. */
  private static MemorySegment start(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return MemorySegment.ofArray(in.readNBytes(START_BYTES));
    } catch (IOException e) {
      return MemorySegment.ofArray(new byte[0]);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0;
    }
  }

  private static boolean startsWith(MemorySegment start, String magic) {
    byte[] expected = magic.getBytes(StandardCharsets.ISO_8859_1);
    return start.byteSize() >= expected.length
        && start.asSlice(0, expected.length).mismatch(MemorySegment.ofArray(expected)) == -1;
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }
}
