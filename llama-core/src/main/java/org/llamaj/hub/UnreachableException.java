package org.llamaj.hub;

import java.io.IOException;

/** The network failed, several times in a row. */
final class UnreachableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnreachableException(IOException cause) {
    super(cause);
  }

  String reason() {
    String message = getCause().getMessage();
    String name = getCause().getClass().getSimpleName();
    return message == null ? name : name + ": " + message;
  }

  HubException asHubException(HubModel model, HubSettings settings) {
    return new HubException(
        "%s: %s cannot be reached (%s); is there a network, or a proxy to name with -Dhttps.proxyHost? What is there of the download is kept"
            .formatted(model, settings.endpoint(), reason()),
        this);
  }
}
