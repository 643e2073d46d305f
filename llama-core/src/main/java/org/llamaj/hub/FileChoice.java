package org.llamaj.hub;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which files of a repository make the model that was asked for.
 *
 * @param files their names
 * @param main the one to open; empty to open the directory
 */
record FileChoice(List<String> files, Optional<String> main) {
  private static final Pattern SPLIT = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
  private static final String USUAL = "Q4_K_M";

  /** What belongs to a directory of transformers', beside the weights. */
  private static final Pattern HUGGING_FACE =
      Pattern.compile(
          "config\\.json|generation_config\\.json|tokenizer.*|special_tokens_map\\.json"
              + "|chat_template.*|preprocessor_config\\.json|processor_config\\.json|README\\.md"
              + "|model.*\\.safetensors|model.*\\.safetensors\\.index\\.json");

  private static final Pattern META =
      Pattern.compile("params\\.json|consolidated\\.\\d\\d\\.pth|tokenizer\\.model|README\\.md");

  static FileChoice of(HubModel model, Collection<String> names) {
    if (model.file().isPresent()) {
      String file = model.file().get();
      if (!names.contains(file)) throw none(model, "the file " + file, names);
      return gguf(file, names);
    }
    List<String> ggufs =
        names.stream()
            .filter(name -> name.endsWith(".gguf") && !name.contains("mmproj"))
            .filter(FileChoice::isFirst)
            .sorted()
            .toList();
    if (model.quantisation().isPresent()) {
      String quantisation = model.quantisation().get();
      List<String> fitting = ofQuantisation(ggufs, quantisation);
      if (fitting.size() != 1) throw none(model, "one GGUF file of " + quantisation, ggufs);
      return gguf(fitting.getFirst(), names);
    }
    if (names.contains("config.json") && names.stream().anyMatch(FileChoice::isWeights)) {
      return new FileChoice(matching(names, HUGGING_FACE), Optional.empty());
    }
    if (names.contains("params.json") && names.contains("consolidated.00.pth")) {
      return new FileChoice(matching(names, META), Optional.empty());
    }
    if (ggufs.size() == 1) return gguf(ggufs.getFirst(), names);
    List<String> usual = ofQuantisation(ggufs, USUAL);
    if (usual.size() == 1) return gguf(usual.getFirst(), names);
    throw none(
        model,
        ggufs.isEmpty()
            ? "GGUF files, or safetensors files with config.json"
            : "a choice: %s:QUANTISATION or %s/FILE".formatted(model, model),
        ggufs.isEmpty() ? names : ggufs);
  }

  private static List<String> ofQuantisation(List<String> ggufs, String quantisation) {
    Pattern part =
        Pattern.compile(
            "(?i)(?:^|.*[-_./])" + Pattern.quote(quantisation) + "(?:[-./].*)", Pattern.DOTALL);
    return ggufs.stream().filter(name -> part.matcher(name).matches()).toList();
  }

  private static boolean isFirst(String name) {
    Matcher split = SPLIT.matcher(name);
    return !split.matches() || Integer.parseInt(split.group(2)) == 1;
  }

  private static boolean isWeights(String name) {
    return name.matches("model.*\\.safetensors");
  }

  private static List<String> matching(Collection<String> names, Pattern pattern) {
    return names.stream().filter(name -> pattern.matcher(name).matches()).sorted().toList();
  }

  /** A file, with the others of a split model. */
  private static FileChoice gguf(String file, Collection<String> names) {
    List<String> files = new ArrayList<>();
    Matcher split = SPLIT.matcher(file);
    if (split.matches()) {
      for (int i = 1; i <= Integer.parseInt(split.group(3)); i++) {
        String part = "%s-%05d-of-%s.gguf".formatted(split.group(1), i, split.group(3));
        if (names.contains(part)) files.add(part); // else the reader will miss it, and say so
      }
    } else {
      files.add(file);
    }
    if (names.contains("README.md")) files.add("README.md");
    return new FileChoice(List.copyOf(files), Optional.of(file));
  }

  private static HubException none(HubModel model, String expected, Collection<String> found) {
    return new HubException(
        "%s: expected %s, found %s"
            .formatted(
                model,
                expected,
                found.isEmpty() ? "nothing" : found.stream().sorted().limit(30).toList()));
  }
}
