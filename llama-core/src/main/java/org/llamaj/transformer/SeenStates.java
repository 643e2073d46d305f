package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.kernel.PageTable;

/**
 * What cross-attention layers have read of a sequence's pictures. Tokens see the last picture
 * before them, together with those that stand directly before it.
 */
final class SeenStates {
  private final KeyValueCache cache;
  private final List<Group> groups = new ArrayList<>();

  /** Pictures side by side. */
  static final class Group implements PageTable {
    private final KeyValueCache cache;
    private final PageRun pages;
    private final List<Picture> pictures = new ArrayList<>();

    private record Picture(int position, int firstKey, int keys) {}

    private Group(KeyValueCache cache) {
      this(cache, new PageRun(cache.pools().getFirst()));
    }

    private Group(KeyValueCache cache, PageRun pages) {
      this.cache = cache;
      this.pages = pages;
    }

    private int keys() {
      return pictures.isEmpty() ? 0 : pictures.getLast().firstKey() + pictures.getLast().keys();
    }

    @Override
    public MemorySegment segment(int layer, int page) {
      return pages.page(page).memory.asSlice(cache.offset(layer), cache.bytes(layer));
    }

    @Override
    public long address(int layer, int page) {
      return pages.page(page).memory.address() + cache.offset(layer);
    }
  }

  /**
   * What a token sees.
   *
   * @param group holds keys and values
   * @param keys how many of them are seen, from the first one on
   */
  record View(Group group, int keys) {}

  /**
   * @param cache of the cross-attention layers
   */
  SeenStates(KeyValueCache cache) {
    this.cache = cache;
  }

  /** The same for a second sequence; memory is shared until one grows. */
  SeenStates fork() {
    SeenStates fork = new SeenStates(cache);
    for (Group group : groups) {
      Group copy = new Group(cache, group.pages.fork());
      copy.pictures.addAll(group.pictures);
      fork.groups.add(copy);
    }
    return fork;
  }

  /**
   * Makes room for the states of a picture.
   *
   * @param position of its token
   * @param count how many states
   * @return where they go: after the keys before the view's last {@code count}
   */
  View add(int position, int count) {
    boolean adjacent =
        !groups.isEmpty() && groups.getLast().pictures.getLast().position() == position - 1;
    if (!adjacent) {
      groups.add(new Group(cache));
    }
    Group group = groups.getLast();
    int first = group.keys();
    group.pictures.add(new Group.Picture(position, first, count));
    group.pages.reserve(first, first + count, cache::evict);
    return new View(group, first + count);
  }

  /** What the token at a position sees; null if there is no picture up to it. */
  View at(int position) {
    for (Group group : groups.reversed()) {
      for (Group.Picture picture : group.pictures.reversed()) {
        if (picture.position() <= position) {
          return new View(group, picture.firstKey() + picture.keys());
        }
      }
    }
    return null;
  }

  /** The position of the first picture; the greatest number if there is none. */
  int first() {
    return groups.isEmpty() ? Integer.MAX_VALUE : groups.getFirst().pictures.getFirst().position();
  }

  /** Forgets the pictures from a position on. */
  void truncate(int length) {
    for (Group group : groups) {
      group.pictures.removeIf(picture -> picture.position() >= length);
      group.pages.truncate(group.keys());
    }
    groups.removeIf(group -> group.pictures.isEmpty());
  }
}
