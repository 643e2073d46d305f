package org.llamaj.hub;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;

/** What the Hub says about a revision of a repository. */
final class RepositoryListing {
  private final String commit;
  private final Map<String, RemoteFile> files = new LinkedHashMap<>();

  private RepositoryListing(String commit) {
    this.commit = commit;
  }

  /** Reads an answer of {@code /api/models/owner/name/revision/main?blobs=true}. */
  static RepositoryListing parse(HubModel model, byte[] json) {
    try {
      JsonObject answer = JsonObject.parse(model.repository(), json);
      RepositoryListing listing = new RepositoryListing(hex(answer, "sha", 40));
      for (JsonObject file : answer.objects("siblings")) {
        String name = file.requireString("rfilename");
        if (!HubModel.isFileName(name)) throw file.wrong("rfilename", "a name in the repository");
        JsonObject large = file.object("lfs").orElse(null);
        JsonObject sized = large == null ? file : large;
        double size = sized.requireNumber("size");
        if (size < 0 || size > 1L << 50) throw sized.wrong("size", "a size in bytes");
        String hash = large == null ? hex(file, "blobId", 40) : hex(large, "sha256", 64);
        listing.files.put(name, new RemoteFile(name, (long) size, hash));
      }
      return listing;
    } catch (CheckpointException e) {
      throw new HubException("the Hub's answer is not understood: " + e.getMessage(), e);
    }
  }

  /** The names of files in the cache are made of hashes. */
  private static String hex(JsonObject object, String name, int length) {
    String value = object.requireString(name);
    if (!value.matches("[0-9a-f]{%d}".formatted(length))) {
      throw object.wrong(name, "%d hexadecimal digits".formatted(length));
    }
    return value;
  }

  String commit() {
    return commit;
  }

  Set<String> names() {
    return files.keySet();
  }

  RemoteFile file(String name) {
    return files.get(name);
  }
}
