package org.llamaj.tokenizer.huggingface;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.bpe.AddedTokens;
import org.llamaj.tokenizer.bpe.ByteEncoder;
import org.llamaj.tokenizer.bpe.BytePairTokenizer;
import org.llamaj.tokenizer.bpe.CharacterEncoder;
import org.llamaj.tokenizer.bpe.PipelineEncoder;
import org.llamaj.tokenizer.bpe.SpacePrefix;
import org.llamaj.tokenizer.bpe.TextEncoder;
import org.llamaj.tokenizer.json.Json;
import org.llamaj.tokenizer.split.Llama3Splitter;
import org.llamaj.tokenizer.split.Llama4Splitter;
import org.llamaj.tokenizer.split.Splitter;
import org.llamaj.tokenizer.split.WholeSplitter;

/**
 * A Hugging Face {@code tokenizer.json} with a BPE model. The pipelines of the Llama releases are
 * recognised and get the encoders written for them; others are put together from their parts.
 */
public final class HuggingFaceFile {
  /** What has hundreds of thousands of items. */
  private static final Set<String> LONG = Set.of("model.vocab", "model.merges");

  private final JsonNode root;
  private final Normalizer normalizer;
  private final List<JsonNode> preTokenizers = new ArrayList<>();
  private final Model model;
  private final SequenceSettings settings;

  private HuggingFaceFile(JsonNode root, SequenceSettings settings) {
    this.root = root;
    this.settings = settings;
    refuse(root.get("truncation"), "truncation");
    refuse(root.get("padding"), "padding");
    normalizer = Normalizer.of(root.get("normalizer"));
    flatten(root.get("pre_tokenizer"), "pretokenizers", preTokenizers);
    preTokenizers.stream()
        .filter(step -> !step.type().equals("Metaspace"))
        .forEach(PreTokenizer::of);
    boolean bytes = preTokenizers.stream().anyMatch(step -> step.type().equals("ByteLevel"));
    model =
        Model.read(root.get("model"), root.get("added_tokens"), bytes, settings.vocabularySize());
  }

  /**
   * Builds the tokenizer of a file.
   *
   * @param file its name, for messages
   * @param data its content
   * @return the tokenizer
   * @throws TokenizerException if the file is damaged or uses what is not supported
   */
  public static Tokenizer read(String file, byte[] data) {
    return read(file, data, SequenceSettings.NONE);
  }

  static Tokenizer read(String file, byte[] data, SequenceSettings settings) {
    return new HuggingFaceFile(parse(file, data), settings).build();
  }

  /** A file that is a JSON value. */
  static JsonNode parse(String file, byte[] data) {
    Object json;
    try {
      json = Json.parse(data, LONG);
    } catch (TokenizerException e) {
      throw new TokenizerException(file + ": " + e.getMessage(), e);
    }
    return new JsonNode(file, json);
  }

  private Tokenizer build() {
    TextEncoder encoder = model.bytes() ? byteEncoder() : characterEncoder();
    Decoder decoder = Decoder.of(root.get("decoder"), model.bytes());
    Template template = Template.of(root.get("post_processor"));
    return new BytePairTokenizer(
        model.vocabulary(),
        encoder,
        new AddedTokens(model.added()),
        template.sequenceTokens(model, settings),
        decoder.dropsFirstSpace());
  }

  private TextEncoder byteEncoder() {
    if (normalizer.spaceFirst() || normalizer.escapesSpaces()) {
      throw root.get("normalizer").unsupported("U+2581 together with ByteLevel");
    }
    Splitter known = normalizer.steps().isEmpty() ? knownSplitter() : null;
    if (known != null) {
      return new ByteEncoder(model.words(), model.rules(), known, model.wholeWordsFirst());
    }
    return pipeline(
        new ByteEncoder(model.words(), model.rules(), new WholeSplitter(), model.wholeWordsFirst()),
        preTokenizers);
  }

  /** The scanner for the pre-tokenizers of Llama 3 or Llama 4, or null. */
  private Splitter knownSplitter() {
    if (preTokenizers.size() != 2 || !preTokenizers.getFirst().type().equals("Split")) {
      return null;
    }
    JsonNode split = preTokenizers.getFirst();
    JsonNode byteLevel = preTokenizers.getLast();
    if (byteLevel.get("add_prefix_space").bool(true)
        || byteLevel.get("use_regex").bool(true)
        || split.get("invert").bool(false)
        || SplitBehavior.of(split.get("behavior")) != SplitBehavior.ISOLATED) {
      return null;
    }
    Object pattern = split.get("pattern").object().get("Regex");
    return Llama3Splitter.PATTERN.equals(pattern)
        ? new Llama3Splitter()
        : Llama4Splitter.PATTERN.equals(pattern) ? new Llama4Splitter() : null;
  }

  private TextEncoder characterEncoder() {
    List<JsonNode> steps = new ArrayList<>(preTokenizers);
    SpacePrefix prefix = normalizer.spaceFirst() ? SpacePrefix.ALWAYS : SpacePrefix.NEVER;
    boolean escapes = normalizer.escapesSpaces();
    if (!steps.isEmpty() && steps.getFirst().type().equals("Metaspace")) {
      if (prefix != SpacePrefix.NEVER) {
        throw steps.getFirst().unsupported("Metaspace after the normalizer Prepend");
      }
      prefix = Metaspace.prefix(steps.removeFirst());
      escapes = true;
    }
    if (!escapes) {
      throw root.get("pre_tokenizer")
          .unsupported("a model of characters that does not write spaces as U+2581");
    }
    CharacterEncoder encoder =
        new CharacterEncoder(
            model.symbols(), model.rules(), model.byteIds(), model.unknown(), prefix);
    return steps.isEmpty() && normalizer.steps().isEmpty() ? encoder : pipeline(encoder, steps);
  }

  private TextEncoder pipeline(TextEncoder encoder, List<JsonNode> steps) {
    List<PreTokenizer> splits = steps.stream().map(PreTokenizer::of).toList();
    boolean lossless =
        normalizer.steps().isEmpty() && splits.stream().allMatch(PreTokenizer::isLossless);
    return new PipelineEncoder(
        normalizer::apply,
        text -> {
          List<String> pieces = List.of(text);
          for (PreTokenizer split : splits) {
            List<String> smaller = new ArrayList<>();
            pieces.forEach(piece -> smaller.addAll(split.split(piece)));
            pieces = smaller;
          }
          return pieces;
        },
        encoder,
        lossless);
  }

  private static void flatten(JsonNode node, String members, List<JsonNode> parts) {
    if (node.isNull()) {
      return;
    }
    if (node.type().equals("Sequence")) {
      node.get(members).items().forEach(item -> flatten(item, members, parts));
    } else {
      parts.add(node);
    }
  }

  /** Truncation and padding change the ids; both are the business of whoever asks for ids. */
  private static void refuse(JsonNode node, String what) {
    if (!node.isNull()) {
      throw node.unsupported(what);
    }
  }
}
