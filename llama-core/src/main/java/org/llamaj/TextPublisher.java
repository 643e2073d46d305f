package org.llamaj;

import java.util.Objects;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Publishes a text piece by piece. Each subscriber gets a generation of its own, on a virtual
 * thread, and no piece that it has not requested: the model makes one ahead and waits.
 */
final class TextPublisher implements Flow.Publisher<String> {
  private final Supplier<GenerationStream> source;

  TextPublisher(Supplier<GenerationStream> source) {
    this.source = source;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super String> subscriber) {
    Objects.requireNonNull(subscriber, "subscriber");
    Demand demand = new Demand();
    Thread.ofVirtual().name("llamaj-publisher").start(() -> publish(subscriber, demand));
  }

  private void publish(Flow.Subscriber<? super String> subscriber, Demand demand) {
    try (GenerationStream stream = source.get()) {
      demand.stream = stream;
      subscriber.onSubscribe(demand);
      while (!demand.ended() && stream.hasNext() && demand.await()) {
        subscriber.onNext(stream.next());
      }
      if (demand.invalid) {
        subscriber.onError(new IllegalArgumentException("expected a request of at least 1 piece"));
      } else if (!demand.cancelled) {
        subscriber.onComplete();
      }
    } catch (Throwable t) {
      if (demand.stream == null) {
        subscriber.onSubscribe(demand); // required before an error
      }
      if (!demand.cancelled) {
        subscriber.onError(t);
      }
    }
  }

  private static final class Demand implements Flow.Subscription {
    private final Semaphore changed = new Semaphore(0);
    private long requested; // guarded by this
    private volatile GenerationStream stream;
    private volatile boolean cancelled;
    private volatile boolean invalid;

    @Override
    public void request(long count) {
      synchronized (this) {
        if (count < 1) {
          invalid = true;
        } else {
          requested = requested + count < 0 ? Long.MAX_VALUE : requested + count;
        }
      }
      changed.release();
    }

    @Override
    public void cancel() {
      cancelled = true;
      GenerationStream running = stream;
      if (running != null) {
        running.cancel();
      }
      changed.release();
    }

    boolean ended() {
      return cancelled || invalid;
    }

    /** Waits until a piece is requested; false if none will be. */
    boolean await() {
      while (true) {
        synchronized (this) {
          if (ended()) {
            return false;
          }
          if (requested > 0) {
            requested--;
            return true;
          }
        }
        changed.acquireUninterruptibly();
        changed.drainPermits();
      }
    }
  }
}
