package org.llamaj;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import org.llamaj.checkpoint.Fingerprint;
import org.llamaj.tokenizer.chat.Content.Image;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.transformer.Sequence;

/**
 * A conversation in a file, with its keys and values, so that it goes on without being read again:
 *
 * <pre>
 * "LLAMAJ-C", version (int), fingerprint of the model (32 bytes), of its adapters (32 bytes),
 * of the encoder of pictures (32 bytes; 0 without pictures, or if it is part of the model),
 * messages, ids of the transcript (or -1), tokens with keys and values of the cache,
 * CRC-32C of all that (long)
 * </pre>
 *
 * <p>Numbers are big-endian. Of the cache, only full pages are written: the few tokens after them
 * are read again, so that nothing of others that shared the memory gets into the file. Of pictures,
 * the image files are written. What cross-attention layers saw of them is not: in such models, the
 * first one and what comes after it are looked at and read again.
 */
final class SessionFile {
  private static final long MAGIC = 0x4c4c414d414a2d43L; // "LLAMAJ-C"
  private static final int VERSION = 3;
  private static final int BUFFER = 1 << 16;
  private static final int MODEL_AT = Long.BYTES + Integer.BYTES;
  private static final int ADAPTERS_AT = MODEL_AT + Fingerprint.LENGTH;
  private static final int ENCODER_AT = ADAPTERS_AT + Fingerprint.LENGTH;
  private static final int BEGIN = ENCODER_AT + Fingerprint.LENGTH;
  private static final byte[] NO_ENCODER = new byte[Fingerprint.LENGTH];

  /**
   * What a file holds beside the cache.
   *
   * @param conversation the messages
   * @param transcript ids of the conversation as the model wrote and read it, those in the places
   *     of pictures included, or null
   */
  record Content(Conversation conversation, int[] transcript) {

    /** The pictures of the conversation, in their order. */
    List<Picture> pictures() {
      return conversation.messages().stream()
          .flatMap(message -> message.content().stream())
          .filter(Image.class::isInstance)
          .map(image -> LlamaModel.picture((Image) image))
          .toList();
    }
  }

  private final Path file;
  private final byte[] model;
  private final byte[] adapters;
  private final byte[] encoder;

  /**
   * @param file where it is, or is to be
   * @param model fingerprint of the model
   * @param adapters fingerprint of the adapters that all tokens go through
   * @param encoder fingerprint of the encoder of pictures; none if the model's covers it
   */
  SessionFile(Path file, byte[] model, byte[] adapters, Optional<byte[]> encoder) {
    this.file = file;
    this.model = model;
    this.adapters = adapters;
    this.encoder = encoder.orElse(NO_ENCODER);
  }

  /**
   * Writes a file beside the one that may be there, then puts it in its place.
   *
   * @param limit how many tokens of the sequence may be written
   */
  void write(Content content, Sequence sequence, int limit) {
    Path absolute = file.toAbsolutePath();
    if (absolute.getFileName() == null || Files.isDirectory(absolute)) {
      throw new LlamaException(
          "%s: expected a file to save the conversation to, found a directory".formatted(absolute));
    }
    Path temporary = null;
    try {
      temporary = Files.createTempFile(absolute.getParent(), absolute.getFileName() + "-", ".tmp");
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        write(Channels.newOutputStream(channel), content, sequence, limit);
        channel.force(true);
      }
      move(temporary, absolute);
    } catch (IOException e) {
      throw new LlamaException(
          "%s: the conversation could not be saved (what was there is unchanged): %s"
              .formatted(file, e),
          e);
    } catch (IllegalStateException e) {
      throw closedMeanwhile(e);
    } finally {
      delete(temporary);
    }
  }

  private void write(OutputStream raw, Content content, Sequence sequence, int limit)
      throws IOException {
    CheckedOutputStream checked = new CheckedOutputStream(raw, new CRC32C());
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(checked, BUFFER));
    out.writeLong(MAGIC);
    out.writeInt(VERSION);
    out.write(model);
    out.write(adapters);
    out.write(content.pictures().isEmpty() ? NO_ENCODER : encoder);
    ConversationCodec.write(out, content.conversation());
    int[] transcript = content.transcript();
    out.writeInt(transcript == null ? -1 : transcript.length);
    if (transcript != null) {
      for (int id : transcript) {
        out.writeInt(id);
      }
    }
    sequence.save(out, limit);
    out.flush();
    out.writeLong(checked.getChecksum().getValue());
    out.flush();
  }

  /**
   * Reads the file.
   *
   * @param sequence an empty one, which gets the tokens of the cache
   * @param look makes a part of a message of a picture
   * @throws LlamaException if it is no such file, damaged, or of another model
   */
  Content read(Sequence sequence, Function<Picture, Image> look) {
    try {
      checkBegin();
      checkSum();
      try (DataInputStream in = open()) {
        in.skipNBytes(BEGIN);
        Conversation conversation = ConversationCodec.read(in, look);
        int[] transcript = ids(in);
        sequence.restore(in);
        return new Content(conversation, transcript);
      }
    } catch (NoSuchFileException e) {
      throw new LlamaException("%s: no such file".formatted(file), e);
    } catch (IllegalStateException e) {
      throw closedMeanwhile(e);
    } catch (IOException | IllegalArgumentException e) {
      throw new LlamaException(
          "%s: expected a saved conversation, found what cannot be read: %s".formatted(file, e), e);
    }
  }

  /** The memory of the cache is gone with the model. */
  private LlamaException closedMeanwhile(IllegalStateException e) {
    return new LlamaException(
        "%s: the model was closed while the conversation was saved or restored".formatted(file), e);
  }

  private void checkBegin() throws IOException {
    try (DataInputStream in = open()) {
      byte[] begin = in.readNBytes(BEGIN);
      if (begin.length < BEGIN || ByteBuffer.wrap(begin).getLong() != MAGIC) {
        throw new LlamaException(
            "%s: expected a conversation saved by ChatSession.save, found another kind of file"
                .formatted(file));
      }
      int version = ByteBuffer.wrap(begin).getInt(Long.BYTES);
      if (version != VERSION) {
        throw new LlamaException(
            "%s: expected version %d of saved conversations, found %d: it was saved by another version of this library, which has to restore it"
                .formatted(file, VERSION, version));
      }
      if (!Arrays.equals(begin, MODEL_AT, ADAPTERS_AT, model, 0, Fingerprint.LENGTH)) {
        throw new LlamaException(
            "%s: expected a conversation with this model, found one with another: load the model it was saved with"
                .formatted(file));
      }
      if (!Arrays.equals(begin, ADAPTERS_AT, ENCODER_AT, adapters, 0, Fingerprint.LENGTH)) {
        throw new LlamaException(
            "%s: expected a conversation with the adapters that are named here, found one with others or none: name those it was saved with, in the same order and scale"
                .formatted(file));
      }
      byte[] saw = Arrays.copyOfRange(begin, ENCODER_AT, BEGIN);
      if (!Arrays.equals(saw, NO_ENCODER) && !Arrays.equals(saw, encoder)) {
        throw new LlamaException(
            "%s: expected a conversation whose pictures went through this model's image encoder, found one with another: give ModelBuilder.mmproj the file it was saved with"
                .formatted(file));
      }
    }
  }

  private void checkSum() throws IOException {
    long left = Files.size(file) - Long.BYTES;
    try (CheckedInputStream in =
        new CheckedInputStream(
            new BufferedInputStream(Files.newInputStream(file), BUFFER), new CRC32C())) {
      byte[] buffer = new byte[BUFFER];
      while (left > 0) {
        int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (read < 0) {
          break;
        }
        left -= read;
      }
      long found = in.getChecksum().getValue();
      if (left != 0 || new DataInputStream(in).readLong() != found) {
        throw new LlamaException(
            "%s: expected a whole file, found one that is damaged or cut short".formatted(file));
      }
    }
  }

  private int[] ids(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0) {
      return null;
    }
    if (count > Files.size(file) / Integer.BYTES) {
      throw new IOException("expected %d tokens in a smaller file".formatted(count));
    }
    int[] ids = new int[count];
    for (int i = 0; i < count; i++) {
      ids[i] = in.readInt();
    }
    return ids;
  }

  private DataInputStream open() throws IOException {
    InputStream in = Files.newInputStream(file);
    return new DataInputStream(new BufferedInputStream(in, BUFFER));
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void delete(Path temporary) {
    if (temporary != null) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException e) {
        throw new LlamaException("%s: cannot be deleted: %s".formatted(temporary, e), e);
      }
    }
  }
}
