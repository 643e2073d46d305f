package org.llamaj;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.tokenizer.chat.Role;
import org.llamaj.tokenizer.chat.ToolDefinition;

/** Conversations as bytes. Each part begins with a letter that says what it is. */
final class ConversationCodec {
  private ConversationCodec() {}

  static void write(DataOutputStream out, Conversation conversation) throws IOException {
    out.writeInt(conversation.messages().size());
    for (Message message : conversation.messages()) {
      text(out, message.role().name());
      text(out, message.ending().name());
      out.writeInt(message.content().size());
      for (Content part : message.content()) {
        write(out, part);
      }
    }
    out.writeInt(conversation.tools().size());
    for (ToolDefinition tool : conversation.tools()) {
      text(out, tool.name());
      text(out, tool.description());
      value(out, tool.parameters());
    }
    out.writeInt(conversation.builtInTools().size());
    for (String tool : conversation.builtInTools()) {
      text(out, tool);
    }
    text(out, conversation.date().map(LocalDate::toString).orElse(""));
  }

  /**
   * Reads what was written.
   *
   * @param look makes a part of a message of a picture
   */
  static Conversation read(DataInputStream in, Function<Picture, Content.Image> look)
      throws IOException {
    List<Message> messages = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      Role role = Role.valueOf(text(in));
      Message.Ending ending = Message.Ending.valueOf(text(in));
      List<Content> parts = new ArrayList<>();
      for (int more = in.readInt(); more > 0; more--) {
        parts.add(part(in, look));
      }
      messages.add(new Message(role, parts, ending));
    }
    List<ToolDefinition> tools = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      tools.add(new ToolDefinition(text(in), text(in), map(value(in))));
    }
    List<String> builtIn = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      builtIn.add(text(in));
    }
    String date = text(in);
    return new Conversation(
        messages,
        tools,
        builtIn,
        date.isEmpty() ? Optional.empty() : Optional.of(LocalDate.parse(date)));
  }

  private static void write(DataOutputStream out, Content part) throws IOException {
    switch (part) {
      case Content.Text(String text) -> {
        out.writeByte('t');
        text(out, text);
      }
      case Content.Context(String text) -> {
        out.writeByte('x');
        text(out, text);
      }
      case Content.ToolCall(String id, String name, Map<String, Object> arguments) -> {
        out.writeByte('c');
        text(out, id);
        text(out, name);
        value(out, arguments);
      }
      case Content.ToolResult(String id, String name, String text) -> {
        out.writeByte('r');
        text(out, id);
        text(out, name);
        text(out, text);
      }
      case Content.Image image -> {
        byte[] bytes = LlamaModel.picture(image).bytes();
        out.writeByte('p');
        out.writeInt(bytes.length);
        out.write(bytes);
      }
    }
  }

  private static Content part(DataInputStream in, Function<Picture, Content.Image> look)
      throws IOException {
    int kind = in.readByte();
    return switch (kind) {
      case 't' -> new Content.Text(text(in));
      case 'x' -> new Content.Context(text(in));
      case 'c' -> new Content.ToolCall(text(in), text(in), map(value(in)));
      case 'r' -> new Content.ToolResult(text(in), text(in), text(in));
      case 'p' -> look.apply(Picture.of(bytes(in)));
      default -> throw new IOException("unknown part " + kind);
    };
  }

  /** Values as JSON has them. */
  private static void value(DataOutputStream out, Object value) throws IOException {
    switch (value) {
      case null -> out.writeByte('0');
      case Boolean b -> out.writeByte(b ? 'T' : 'F');
      case Integer i -> {
        out.writeByte('i');
        out.writeInt(i);
      }
      case Long l -> {
        out.writeByte('l');
        out.writeLong(l);
      }
      case Double d -> {
        out.writeByte('d');
        out.writeDouble(d);
      }
      case Number n -> {
        out.writeByte('n');
        text(out, n.toString());
      }
      case Map<?, ?> map -> {
        out.writeByte('m');
        out.writeInt(map.size());
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          text(out, entry.getKey().toString());
          value(out, entry.getValue());
        }
      }
      case List<?> list -> {
        out.writeByte('a');
        out.writeInt(list.size());
        for (Object element : list) {
          value(out, element);
        }
      }
      default -> {
        out.writeByte('s');
        text(out, value.toString());
      }
    }
  }

  private static Object value(DataInputStream in) throws IOException {
    int kind = in.readByte();
    return switch (kind) {
      case '0' -> null;
      case 'T' -> true;
      case 'F' -> false;
      case 'i' -> in.readInt();
      case 'l' -> in.readLong();
      case 'd' -> in.readDouble();
      case 'n' -> new BigDecimal(text(in));
      case 's' -> text(in);
      case 'm' -> {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int left = in.readInt(); left > 0; left--) {
          map.put(text(in), value(in));
        }
        yield map;
      }
      case 'a' -> {
        List<Object> list = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
          list.add(value(in));
        }
        yield list;
      }
      default -> throw new IOException("unknown value " + kind);
    };
  }

  private static Map<String, Object> map(Object value) throws IOException {
    if (!(value instanceof Map<?, ?> map)) {
      throw new IOException("expected a map");
    }
    Map<String, Object> typed = new LinkedHashMap<>();
    map.forEach((key, element) -> typed.put((String) key, element));
    return typed;
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(utf8.length);
    out.write(utf8);
  }

  private static String text(DataInputStream in) throws IOException {
    return new String(bytes(in), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    byte[] bytes = in.readNBytes(Math.max(0, length)); // no more than there is
    if (bytes.length != length) {
      throw new IOException("expected a text or picture of %d bytes".formatted(length));
    }
    return bytes;
  }
}
