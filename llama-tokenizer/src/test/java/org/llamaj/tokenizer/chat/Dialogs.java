package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.tokenizer.Golden;

/** Reads the messages of the reference data. */
final class Dialogs {
  private Dialogs() {}

  static Conversation conversation(Golden.Record dialog) {
    return new Conversation(
        dialog.records("messages").stream().map(Dialogs::message).toList(), List.of());
  }

  static Message message(Golden.Record message) {
    Role role = Role.of(message.string("role"));
    List<Content> parts = new ArrayList<>();
    if (message.get("content") instanceof String text) {
      parts.add(role == Role.TOOL ? new Content.ToolResult("", "", text) : new Content.Text(text));
    } else {
      for (Golden.Record part : message.records("content")) {
        parts.add(
            part.string("type").equals("image")
                ? new Content.Image(part.integer("width"), part.integer("height"), null)
                : new Content.Text(part.string("text")));
      }
    }
    if (message.has("context")) {
      parts.add(new Content.Context(message.string("context")));
    }
    if (message.has("tool_calls")) {
      for (Golden.Record call : message.records("tool_calls")) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        call.record("arguments").map().forEach((k, v) -> arguments.put((String) k, v));
        parts.add(new Content.ToolCall(call.string("name"), arguments));
      }
    }
    boolean goesOn = "end_of_message".equals(message.get("stop_reason"));
    return new Message(
        role, parts, goesOn ? Message.Ending.END_OF_MESSAGE : Message.Ending.END_OF_TURN);
  }
}
