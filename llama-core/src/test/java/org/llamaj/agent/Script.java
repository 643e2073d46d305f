package org.llamaj.agent;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.llamaj.LlamaModel;
import org.llamaj.SamplingOptions;
import org.llamaj.sampling.Candidates;
import org.llamaj.sampling.SamplingContext;
import org.llamaj.sampling.SamplingStep;
import org.llamaj.tokenizer.SpecialTokens;

/** Makes a model give one answer after the other that were written beforehand. */
final class Script implements SamplingStep {
  private final List<int[]> answers;
  private final AtomicInteger given = new AtomicInteger();
  private final int end;

  private Script(LlamaModel model, List<String> answers) {
    this.answers =
        answers.stream().map(text -> model.tokenizer().encode(text, SpecialTokens.all())).toList();
    end =
        IntStream.range(0, model.tokenizer().vocabularySize())
            .filter(model.tokenizer()::isEndOfGeneration)
            .findFirst()
            .orElseThrow();
  }

  static SamplingOptions of(LlamaModel model, String... answers) {
    return SamplingOptions.of(new Script(model, List.of(answers))).withTemperature(0);
  }

  @Override
  public Stage begin(SamplingContext context) {
    int[] answer = answers.get(given.getAndIncrement());
    return new Stage() {
      private int next;

      @Override
      public void apply(Candidates candidates) {
        int token = next < answer.length ? answer[next] : end;
        next++;
        int index = candidates.indexOf(token);
        if (index >= 0) { // a grammar may not allow it
          candidates.setLogit(index, 1000);
        }
      }
    };
  }
}
