package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** Tells the version of the build and of the JVM. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() throws IOException {
    Properties build = new Properties();
    try (InputStream properties = Version.class.getResourceAsStream("build.properties")) {
      build.load(properties);
    }
    return new String[] {
      "llama " + build.getProperty("version"),
      "%s %s".formatted(System.getProperty("java.vm.name"), Runtime.version())
    };
  }
}
