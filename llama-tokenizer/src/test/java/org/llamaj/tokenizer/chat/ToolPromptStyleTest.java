package org.llamaj.tokenizer.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.llamaj.tokenizer.Golden;
import org.llamaj.tokenizer.GoldenTokenizers;
import org.llamaj.tokenizer.Tokenizer;

/** The documented descriptions of tools, exact in text and ids. */
class ToolPromptStyleTest {
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("d MMMM yyyy", Locale.ENGLISH);
  private static final Map<String, ToolPromptStyle> STYLES =
      Map.of(
          "llama3.1-builtin", ToolPromptStyle.LLAMA_3_1_BUILT_IN,
          "llama3.1-json", ToolPromptStyle.LLAMA_3_1_JSON,
          "llama3.1-function-tag", ToolPromptStyle.LLAMA_3_1_FUNCTION_TAG,
          "llama3.2-pythonic-system", ToolPromptStyle.LLAMA_3_2_PYTHONIC_SYSTEM,
          "llama3.2-pythonic-user", ToolPromptStyle.LLAMA_3_2_PYTHONIC_USER,
          "llama3.3-pythonic-user", ToolPromptStyle.LLAMA_3_3_PYTHONIC_USER,
          "llama4-pythonic-system", ToolPromptStyle.LLAMA_4_PYTHONIC_SYSTEM,
          "llama4-pythonic-user", ToolPromptStyle.LLAMA_4_PYTHONIC_USER);

  @Test
  void descriptionsAreThoseOfTheDocumentation() {
    List<Golden.Record> prompts = Golden.lines(Golden.file("chat/tool_prompts.jsonl"));
    assertThat(prompts).isNotEmpty();
    for (Golden.Record expected : prompts) {
      String style = expected.string("style");
      Tokenizer tokenizer =
          GoldenTokenizers.get(
              style.startsWith("llama4") ? "llama4/tokenizer.model" : "llama3/tokenizer.model");
      ChatFormat format =
          style.startsWith("llama4")
              ? ChatFormat.llama4(tokenizer, ToolCallStyle.PYTHON_LIST)
              : ChatFormat.llama3(tokenizer, ToolCallStyle.JSON);
      Prompt prompt = format.prompt(STYLES.get(style).describe(conversation(expected)));
      assertThat(prompt.text()).as("%s", expected).isEqualTo(expected.string("prompt_text"));
      assertThat(prompt.ids()).as("%s", expected).isEqualTo(expected.ids("prompt_ids"));
    }
  }

  @Test
  void pythonicStylesKeepTheSystemMessage() {
    Conversation conversation =
        new Conversation(
            List.of(Message.system("Be brief."), Message.user("Hi")),
            List.of(new ToolDefinition("now", "The time", Map.of())));
    Conversation described = ToolPromptStyle.LLAMA_4_PYTHONIC_SYSTEM.describe(conversation);
    assertThat(described.messages().getFirst().text())
        .startsWith("You are a helpful assistant and an expert")
        .endsWith("]\n\nBe brief.");
    assertThat(described.tools()).isEmpty();
  }

  private static Conversation conversation(Golden.Record expected) {
    List<Message> messages = new ArrayList<>();
    // The documented texts of the pythonic styles have no place for a system message of one's own;
    // that ours keep one all the same is another test's.
    if (!expected.string("style").contains("pythonic")) {
      messages.add(Message.system(expected.string("system")));
    }
    messages.add(Message.user(expected.string("user")));
    List<ToolDefinition> tools =
        expected.records("tools").stream().map(ToolPromptStyleTest::tool).toList();
    return new Conversation(
        messages,
        tools,
        expected.strings("builtin_tools"),
        Optional.of(LocalDate.parse(expected.string("date"), DATE)));
  }

  private static ToolDefinition tool(Golden.Record tool) {
    Map<String, Object> parameters = new LinkedHashMap<>();
    tool.record("parameters").map().forEach((key, value) -> parameters.put((String) key, value));
    return new ToolDefinition(tool.string("name"), tool.string("description"), parameters);
  }
}
