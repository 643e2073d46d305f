package org.llamaj.vision;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.chat.ChatFormat;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.tokenizer.chat.Prompt;
import org.llamaj.tokenizer.chat.Role;
import org.llamaj.tokenizer.chat.ToolCallStyle;
import org.llamaj.vision.golden.GoldenVision;
import tools.jackson.databind.JsonNode;

/** Conversations with pictures as token ids, as reference implementations write them. */
class ChatLayoutsTest {

  /** By the family's name in the reference data. */
  private static final Map<String, Tokenizer> TOKENIZERS =
      Map.of(
          "llama4", tokenizer("llama4-multimodal-tiny/maverick/hf"),
          "llama3.2-vision", tokenizer("mllama-tiny/a/hf"));

  static Stream<Arguments> chats() {
    JsonNode all = GoldenVision.read(GoldenVision.root().resolve("chat-layouts/chats.json"));
    return all.propertyStream()
        .flatMap(
            chat ->
                TOKENIZERS.keySet().stream()
                    .sorted()
                    .map(family -> Arguments.of(chat.getKey(), family, chat.getValue())));
  }

  @ParameterizedTest(name = "{0} for {1}")
  @MethodSource("chats")
  void tokens(String name, String family, JsonNode chat) {
    Tokenizer tokenizer = TOKENIZERS.get(family);
    ChatFormat format =
        family.equals("llama4")
            ? ChatFormat.llama4(tokenizer, ToolCallStyle.PYTHON_LIST)
            : ChatFormat.llama3(tokenizer, ToolCallStyle.JSON);
    Prompt prompt = format.prompt(conversation(chat.get("messages")));
    List<Integer> expected = new ArrayList<>();
    List<Integer> startOfPiece = new ArrayList<>();
    for (JsonNode piece : chat.get(family).get("layout")) {
      if (piece.has("text")) {
        startOfPiece.add(expected.size());
        for (int id : tokenizer.encode(piece.get("text").asString())) {
          expected.add(id);
        }
      } else {
        int id = tokenizer.special(piece.get("special").asString()).orElseThrow();
        for (int i = 0; i < piece.get("n").asInt(); i++) {
          startOfPiece.add(expected.size());
          expected.add(id);
        }
      }
    }
    assertThat(prompt.ids()).containsExactly(expected.stream().mapToInt(i -> i).toArray());

    List<Prompt.Attention> seen = new ArrayList<>();
    for (JsonNode mask : chat.get(family).path("vision_masks_by_piece")) {
      int to = mask.get(1).asInt();
      seen.add(
          new Prompt.Attention(
              startOfPiece.get(mask.get(0).asInt()),
              to < 0 ? -1 : to == startOfPiece.size() ? expected.size() : startOfPiece.get(to)));
    }
    if (chat.get(family).has("vision_masks_by_piece")) {
      assertThat(prompt.crossAttention()).isEqualTo(seen);
    }
  }

  private static Conversation conversation(JsonNode messages) {
    List<Message> result = new ArrayList<>();
    for (JsonNode message : messages) {
      List<Content> parts = new ArrayList<>();
      for (JsonNode part : message.get("content")) {
        JsonNode size = part.path("image");
        parts.add(
            size.isMissingNode()
                ? new Content.Text(part.get("text").asString())
                : new Content.Image(size.get(0).asInt(), size.get(1).asInt(), null));
      }
      Role role = Role.valueOf(message.get("role").asString().toUpperCase(Locale.ROOT));
      result.add(new Message(role, parts, Message.Ending.END_OF_TURN));
    }
    return Conversation.of(result.toArray(Message[]::new));
  }

  private static Tokenizer tokenizer(String folder) {
    return Tokenizer.load(GoldenVision.root().resolve(folder).resolve("tokenizer.json"));
  }
}
