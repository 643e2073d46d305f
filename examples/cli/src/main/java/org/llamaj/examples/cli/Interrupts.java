package org.llamaj.examples.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * What Ctrl-C does. Java has no supported way to tell; {@code sun.misc.Signal} of the module {@code
 * jdk.unsupported} is reached by reflection because the compiler warns of its name. Where it is
 * missing, Ctrl-C ends the program as ever.
 */
final class Interrupts {
  private static final String SIGNAL = "sun.misc.Signal";
  private static final String HANDLER = "sun.misc.SignalHandler";

  /** Restores what Ctrl-C did before. */
  interface Registration extends AutoCloseable {
    @Override
    void close();
  }

  private Interrupts() {}

  /** From now on Ctrl-C does nothing. */
  static void ignore() {
    handle(() -> {});
  }

  /**
   * From now on Ctrl-C runs an action, on a thread of its own.
   *
   * @return to be closed when Ctrl-C shall do again what it did
   */
  static Registration handle(Runnable action) {
    try {
      Class<?> handlerType = Class.forName(HANDLER);
      Object handler =
          Proxy.newProxyInstance(
              handlerType.getClassLoader(),
              new Class<?>[] {handlerType},
              (_, method, _) -> {
                if (method.getName().equals("handle")) {
                  action.run();
                }
                return null;
              });
      Object previous = install(handler);
      return () -> restore(previous);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      return () -> {};
    }
  }

  private static void restore(Object previous) {
    try {
      install(previous);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a handler of Ctrl-C that was there cannot be restored", e);
    }
  }

  private static Object install(Object handler) throws ReflectiveOperationException {
    Class<?> signalType = Class.forName(SIGNAL);
    Object signal = signalType.getConstructor(String.class).newInstance("INT");
    try {
      return signalType
          .getMethod("handle", signalType, Class.forName(HANDLER))
          .invoke(null, signal, handler);
    } catch (InvocationTargetException e) {
      // The JVM was started with -Xrs or runs where the signal belongs to another.
      throw new ReflectiveOperationException(e);
    }
  }
}
