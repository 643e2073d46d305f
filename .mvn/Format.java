import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Checks (or, with {@code write}, makes) the format of all Java sources, with google-java-format on
 * the JDK the code is written for: Maven itself may run on an older one, whose parser would refuse
 * it.
 */
class Format {
  public static void main(String[] args) throws Exception {
    boolean write = args.length > 0 && args[0].equals("write");
    Formatter formatter = new Formatter();
    List<Path> wrong = new ArrayList<>();
    for (Path file : sources()) {
      String found = Files.readString(file);
      String expected = formatter.formatSource(RemoveUnusedImports.removeUnusedImports(found));
      if (!expected.equals(found)) {
        wrong.add(file);
        if (write) Files.writeString(file, expected);
      }
    }
    wrong.forEach(file -> System.out.println((write ? "formatted " : "not formatted: ") + file));
    if (!wrong.isEmpty() && !write) {
      System.out.println("Run: mvn -N process-resources -Dformat");
      System.exit(1);
    }
  }

  private static List<Path> sources() throws Exception {
    try (Stream<Path> files = Files.walk(Path.of("."))) {
      return files
          .filter(f -> f.toString().endsWith(".java"))
          .filter(f -> Stream.of(".git", "target").noneMatch(part -> contains(f, part)))
          .sorted()
          .toList();
    }
  }

  private static boolean contains(Path file, String part) {
    for (Path name : file) if (name.toString().equals(part)) return true;
    return false;
  }
}
