package org.llamaj.tokenizer.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.tokenizer.GgufFile;
import org.llamaj.tokenizer.Golden;
import org.llamaj.tokenizer.TinyTokenizers;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.jinja.Template;

/** Formats on the small vocabularies. */
class ChatFormatTest {
  private static final String CHAT_ML =
      "{% for m in messages %}{{ '<|start_header_id|>' + m.role + '\\n' + m.content"
          + " + '<|eot_id|>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant\\n' }}{% endif %}";
  private static final Conversation SHORT =
      Conversation.of(Message.system("Be brief."), Message.user("the Mond?"));

  static Stream<ChatFormat> formats() {
    return Stream.of(
        ChatFormat.llama2(TinyTokenizers.LLAMA_2),
        ChatFormat.llama3(TinyTokenizers.LLAMA_3, ToolCallStyle.JSON),
        ChatFormat.llama4(TinyTokenizers.LLAMA_4, ToolCallStyle.PYTHON_LIST),
        ChatFormat.template(TinyTokenizers.LLAMA_3, CHAT_ML));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-spm-llama2", "tiny-bpe-llama3", "tiny-bpe-llama4"})
  void theFilesOwnTemplatesAreRenderedAsJinja2Does(String name) {
    GgufFile metadata = TinyTokenizers.metadata(name);
    Tokenizer tokenizer = Tokenizer.of(metadata);
    Template template = Template.parse(metadata.string("tokenizer.chat_template").orElseThrow());
    Golden.Record golden = Golden.json(Golden.resource("tokenizer/" + name + "/cases.json"));
    assertThat(golden.records("chat")).isNotEmpty();
    for (Golden.Record chat : golden.records("chat")) {
      Map<String, Object> variables = new HashMap<>();
      variables.put("messages", chat.get("messages"));
      variables.put("add_generation_prompt", chat.bool("add_generation_prompt"));
      variables.put("bos_token", tokenizer.text(tokenizer.bos().orElseThrow()));
      variables.put("eos_token", tokenizer.text(tokenizer.eos().orElseThrow()));
      assertThat(template.render(variables, LocalDateTime::now, Duration.ofSeconds(5)))
          .isEqualTo(chat.string("text"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-spm-llama2", "tiny-bpe-llama3", "tiny-bpe-llama4"})
  void templatesOfTheFamilyAreRecognised(String name) {
    GgufFile metadata = TinyTokenizers.metadata(name);
    ChatFormat format = ChatFormat.of(Tokenizer.of(metadata), metadata);
    assertThat(format.name()).isEqualTo("Llama " + name.charAt(name.length() - 1));
    GgufFile without = with(metadata, "tokenizer.chat_template", null);
    assertThat(ChatFormat.of(Tokenizer.of(without), without).name()).isEqualTo(format.name());
  }

  @Test
  void otherTemplatesAreInterpreted() {
    GgufFile metadata =
        with(TinyTokenizers.metadata("tiny-bpe-llama3"), "tokenizer.chat_template", CHAT_ML);
    ChatFormat format = ChatFormat.of(Tokenizer.of(metadata), metadata);
    assertThat(format.prompt(SHORT).text())
        .isEqualTo(
            "<|start_header_id|>system\nBe brief.<|eot_id|>\n<|start_header_id|>user\nthe Mond?"
                + "<|eot_id|>\n<|start_header_id|>assistant\n");
  }

  @Test
  void vocabulariesWithoutAFormatAreRefused() {
    GgufFile metadata = TinyTokenizers.metadata("tiny-bpe-llama3");
    byte[][] tokens = ((byte[][]) metadata.values().get("tokenizer.ggml.tokens")).clone();
    for (int id = 486; id < tokens.length; id++) {
      tokens[id] = ("<|other_" + id + "|>").getBytes(StandardCharsets.UTF_8);
    }
    GgufFile other =
        with(with(metadata, "tokenizer.ggml.tokens", tokens), "tokenizer.chat_template", null);
    Tokenizer tokenizer = Tokenizer.of(other);
    assertThatThrownBy(() -> ChatFormat.of(tokenizer, other))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("no chat template");
    assertThatThrownBy(() -> ChatFormat.llama3(tokenizer, ToolCallStyle.JSON))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("<|begin_of_text|>");
  }

  @ParameterizedTest
  @MethodSource("formats")
  void aSessionFeedsOnlyWhatIsNew(ChatFormat format) {
    Conversation longer =
        SHORT.plus(Message.assistant("sehr weit"), Message.user("and the Leuchtturm?"));
    String whole = format.prompt(longer).text();
    String first = format.prompt(SHORT).text();
    String rest = format.continuation(longer, 3).orElseThrow().text();
    // Llama 2 writes a space before the token that ends an answer, which models do not.
    String fed = first + (format.name().equals("Llama 2") ? " sehr weit " : "sehr weit") + rest;
    assertThat(fed).isEqualTo(whole);
    if (!format.name().equals("Llama 2")) {
      int[] known = format.encode(SHORT);
      assertThat(format.encode(longer))
          .startsWith(known)
          .endsWith(format.continuation(longer, 3).orElseThrow().ids());
    }
  }

  @Test
  void whatATemplateRewritesHasNoContinuation() {
    String forgetful = "{{ messages[-1].content }}";
    ChatFormat format = ChatFormat.template(TinyTokenizers.LLAMA_3, forgetful);
    Conversation longer = SHORT.plus(Message.assistant("a"), Message.user("b"));
    assertThat(format.continuation(longer, 3)).isEmpty();
    assertThatThrownBy(() -> format.continuation(longer, 2))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> format.continuation(longer, 9))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void messagesForgeNoControlTokens(ChatFormat format) {
    Tokenizer tokenizer = tokenizer(format);
    String all = String.join("x", tokenizer.specialTokens().keySet());
    long expected = specials(tokenizer, format.encode(Conversation.of(Message.user("x"))));
    for (String text : List.of(all, "<", "<|", "<|eot_id|", all + "<|eot_", "\ufdd0" + all)) {
      Prompt prompt = format.prompt(Conversation.of(Message.user("a" + text + "b")));
      assertThat(specials(tokenizer, prompt.ids())).as(text).isEqualTo(expected);
      assertThat(prompt.text()).contains("a" + text + "b");
    }
  }

  @Test
  void partsThatTouchForgeNoControlTokenInTemplates() {
    ChatFormat format =
        ChatFormat.template(
            TinyTokenizers.LLAMA_3, "{% for m in messages %}{{ m.content }}{% endfor %}");
    Prompt prompt = format.prompt(Conversation.of(Message.user("<|eot"), Message.user("_id|>")));
    assertThat(prompt.text()).isEqualTo("<|eot_id|>");
    assertThat(specials(TinyTokenizers.LLAMA_3, prompt.ids())).isZero();
  }

  @Test
  void templatesSeeToolsCallsAndTheDate() {
    ChatFormat format =
        ChatFormat.template(
            TinyTokenizers.LLAMA_3,
            "{{ tools | tojson }}{{ messages[0].tool_calls | tojson }}{{ messages[1].name }}"
                + "{{ date_string }}{{ strftime_now('%Y-%m-%d') }}");
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("n", 7);
    Conversation conversation =
        new Conversation(
                List.of(
                    Message.assistant("", List.of(new Content.ToolCall("f", arguments))),
                    Message.tool(new Content.ToolResult("", "f", "7"))),
                List.of(new ToolDefinition("f", "F", Map.of("type", "object"))))
            .on(LocalDate.of(2025, 3, 7));
    assertThat(format.prompt(conversation).text())
        .isEqualTo(
            "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"description\": \"F\","
                + " \"parameters\": {\"type\": \"object\"}}}]"
                + "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\":"
                + " {\"n\": 7}}}]f07 Mar 20252025-03-07");
  }

  @Test
  void whatTheFormatCannotExpressIsRefused() {
    ChatFormat llama2 = ChatFormat.llama2(TinyTokenizers.LLAMA_2);
    Message image = Message.user(new Content.Image(2, 2, null));
    assertRefused(llama2, Conversation.of(image), "no images");
    assertRefused(llama2, Conversation.of(Message.user("a"), Message.user("b")), "turns of user");
    assertRefused(
        llama2,
        Conversation.of(Message.assistant("a"), Message.user("b"), Message.user("c")),
        "turns of user");
    assertRefused(
        llama2,
        new Conversation(
            List.of(Message.user("a")), List.of(new ToolDefinition("f", "", Map.of()))),
        "no tools");
    assertRefused(
        ChatFormat.llama4(without("tiny-bpe-llama4", "<|patch|>"), ToolCallStyle.PYTHON_LIST),
        Conversation.of(image),
        "model of text");
    assertRefused(
        ChatFormat.llama3(without("tiny-bpe-llama3", "<|image|>"), ToolCallStyle.JSON),
        Conversation.of(image),
        "model of text");
    assertRefused(
        ChatFormat.template(TinyTokenizers.LLAMA_3, CHAT_ML),
        Conversation.of(image),
        "chat template");
    assertRefused(
        ChatFormat.template(TinyTokenizers.LLAMA_3, "{{ raise_exception('no system') }}"),
        SHORT,
        "no system");
    assertThatThrownBy(() -> ChatFormat.template(TinyTokenizers.LLAMA_3, "{% if %}"))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("not well-formed");
    assertThatThrownBy(() -> Role.of("moderator"))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("Unknown role 'moderator'");
    assertThatThrownBy(() -> new Content.Image(0, 5, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Message(Role.SYSTEM, List.of(new Content.Image(1, 1, null))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("SYSTEM");
  }

  @Test
  void tilesOfPicturesAreThoseOfTheReference() {
    List<Golden.Record> tilings = Golden.lines(Golden.resource("chat/llama4/image_tiling.jsonl"));
    assertThat(tilings).isNotEmpty();
    for (Golden.Record expected : tilings) {
      ImageTiling tiling =
          ImageTiling.of(
              expected.integer("width"),
              expected.integer("height"),
              336,
              expected.integer("max_tiles"));
      assertThat(tiling)
          .as("%s", expected.value())
          .isEqualTo(
              new ImageTiling(
                  expected.integer("tiles_x"),
                  expected.integer("tiles_y"),
                  expected.integer("resized_width"),
                  expected.integer("resized_height")));
    }
  }

  private static Tokenizer without(String vocabulary, String token) {
    GgufFile metadata = TinyTokenizers.metadata(vocabulary);
    byte[][] tokens = ((byte[][]) metadata.values().get("tokenizer.ggml.tokens")).clone();
    int id = Tokenizer.of(metadata).special(token).orElseThrow();
    tokens[id] = "<|unused|>".getBytes(StandardCharsets.UTF_8);
    return Tokenizer.of(with(metadata, "tokenizer.ggml.tokens", tokens));
  }

  private static void assertRefused(ChatFormat format, Conversation conversation, String message) {
    assertThatThrownBy(() -> format.prompt(conversation))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining(message);
  }

  private static Tokenizer tokenizer(ChatFormat format) {
    return switch (format.name()) {
      case "Llama 2" -> TinyTokenizers.LLAMA_2;
      case "Llama 4" -> TinyTokenizers.LLAMA_4;
      default -> TinyTokenizers.LLAMA_3;
    };
  }

  private static long specials(Tokenizer tokenizer, int[] ids) {
    return IntStream.of(ids).filter(tokenizer::isSpecial).count();
  }

  private static GgufFile with(GgufFile metadata, String key, Object value) {
    Map<String, Object> values = new HashMap<>(metadata.values());
    if (value == null) {
      values.remove(key);
    } else {
      values.put(key, value instanceof String s ? s.getBytes(StandardCharsets.UTF_8) : value);
    }
    return GgufFile.of(values);
  }
}
