package org.llamaj.checkpoint.huggingface;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.llamaj.checkpoint.JsonObject;

/** Finds a model's chat template, newest place first. */
final class ChatTemplates {
  private static final String FILE = "chat_template.jinja";
  private static final String PROCESSOR = "chat_template.json";
  private static final String TOKENIZER = "tokenizer_config.json";
  private static final String KEY = "chat_template";
  private static final long LARGEST = 4L << 20;

  private ChatTemplates() {}

  static Optional<String> read(Path directory) {
    if (HuggingFaceReader.exists(directory, FILE)) {
      return Optional.of(HuggingFaceReader.text(directory.resolve(FILE), LARGEST));
    }
    for (String name : List.of(PROCESSOR, TOKENIZER)) {
      if (!HuggingFaceReader.exists(directory, name)) continue;
      Optional<String> found = template(JsonObject.read(directory.resolve(name)));
      if (found.isPresent()) return found;
    }
    return Optional.empty();
  }

  /** One template, or several with names, of which {@code default} counts. */
  private static Optional<String> template(JsonObject file) {
    if (!file.has(KEY)) return Optional.empty();
    if (!file.isArray(KEY)) return file.string(KEY);
    return file.array(KEY).orElseThrow().stream()
        .filter(Map.class::isInstance)
        .map(entry -> (Map<?, ?>) entry)
        .filter(entry -> "default".equals(entry.get("name")))
        .map(entry -> entry.get("template"))
        .filter(String.class::isInstance)
        .map(String.class::cast)
        .findFirst();
  }
}
